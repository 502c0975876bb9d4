"""From image files to raw images, for figures that include decoding."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaikan.errors import GaikanError


def encode(images: NDArray[np.uint8] | NDArray[np.float32], folder: Path) -> list[str]:
    """Writes raw images (N, C, H, W) as PNG files and gives their paths.

    Raises GaikanError for images that a PNG file cannot hold.
    """
    if images.dtype != np.uint8 or images.shape[1] not in (1, 3):
        raise GaikanError(
            f"--include-decode: images of {images.shape[1]} channels in {images.dtype} are not "
            "read from image files; leave it out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
        path = folder / f"{number:04}.png"
        Image.fromarray(pixels).save(path)
        paths.append(str(path))
    return paths


def decoded(files: Sequence[str]) -> NDArray[np.uint8]:
    """Raw images (N, C, H, W) of files of one size, all grey or all colour."""
    images = []
    for path in files:
        with Image.open(path) as image:
            pixels = np.asarray(image)
        images.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
    return np.stack(images)
