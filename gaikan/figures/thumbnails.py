"""Images of parts as small pictures, and a sheet that holds many of them in one file."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaikan.language.words import Words, say

Pixels = NDArray[np.uint8]

SIDE = 48  # pixels: the longer side of an image on a sheet; smaller images keep theirs
COLUMNS = 40  # images in a row of a sheet
QUALITY = 80  # of WebP, in 0..100


def as_rgb(images: NDArray[np.uint8] | NDArray[np.float32]) -> tuple[Pixels, Words]:
    """Images (N, C, H, W) as (N, H, W, 3) uint8, and a text that explains their scale."""
    scale = say("scale_whole")
    if images.dtype != np.uint8:
        low, high = np.percentile(images[np.isfinite(images)], (1, 99))
        scale = say("scale_percentiles", low=f"{low:.3g}", high=f"{high:.3g}")
        unit = (np.nan_to_num(images) - low) / (high - low if high > low else 1.0)
        images = (255 * unit.clip(0, 1)).round().astype(np.uint8)
    rgb: Pixels = np.broadcast_to(images, (len(images), 3, *images.shape[2:]))
    return rgb.transpose(0, 2, 3, 1), scale


def thumbnail(image: Pixels, side: int) -> Pixels:
    """The image (H, W, 3) with a longer side of at most `side`; enlarged by whole factors only."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return image.repeat(int(factor), axis=0).repeat(int(factor), axis=1)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    resized = Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BOX)
    return np.asarray(resized)


@dataclass(frozen=True)
class Sheet:
    """Small images of `width` x `height` pixels, `COLUMNS` in a row, as one WebP file."""

    content: bytes
    width: int
    height: int


def sheet(images: NDArray[np.uint8] | NDArray[np.float32]) -> Sheet:
    """All images (N, C, H, W) on one sheet, in their order.

    1,500 parts of 36 x 39 take 0.25 MB and 0.2 s as WebP of this quality; as PNG 0.4 to 1.2 MB
    and 0.3 s, as JPEG 0.5 MB.
    """
    rgb, _ = as_rgb(images)
    side = min(SIDE, max(rgb.shape[1:3]))
    tiles = np.stack([thumbnail(image, side) for image in rgb])
    count, height, width = tiles.shape[:3]
    rows = -(-count // COLUMNS)
    page = np.full((rows * COLUMNS, height, width, 3), 255, np.uint8)
    page[:count] = tiles
    page = page.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2)
    image = Image.fromarray(np.ascontiguousarray(page.reshape(rows * height, COLUMNS * width, 3)))
    return Sheet(webp(image), width, height)


def webp(image: Image.Image) -> bytes:
    """The image as a WebP file, at a quality whose loss nobody sees."""
    content = io.BytesIO()
    image.save(content, "WEBP", quality=QUALITY, method=2)
    return content.getvalue()
