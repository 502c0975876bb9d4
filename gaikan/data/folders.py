"""Images out of files, of any size, grey or colour: folders with a class a subfolder, and lists."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gaikan.data.annotations import Annotations, labelled
from gaikan.data.frames import Frames
from gaikan.data.layout import listed_by_folders
from gaikan.data.limits import refuse_too_large
from gaikan.errors import DataError

DEEP = {"I", "F", "I;16", "I;16B", "I;16L"}  # more than 8 bits a pixel: kept as float32
# By content. Pillow reads dozens more, one of them by running Ghostscript on the file.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_GREY = {"1", "L", "LA"}


def frames_from_folder(folder: Path, source: str, size: tuple[int, int] | None) -> Frames:
    """The images of a folder, one class a subfolder, in the order of their sorted paths."""
    found = listed_by_folders(folder, source)
    told = Annotations(
        labels=np.asarray(found.labels, np.str_),
        groups=None if found.groups is None else np.asarray(found.groups, np.str_),
    )
    return frames_of_files(found.files, told, source, size, found.notes)


def frames_of_files(
    files: Sequence[Path],
    told: Annotations,
    source: str,
    size: tuple[int, int] | None,
    notes: Sequence[str],
) -> Frames:
    """Frames of image files, in their order."""
    opened = ((str(path), open_image(path)) for path in files)
    return frames_of_images(opened, told, source, size, notes)


def frames_of_images(
    opened: Iterable[tuple[str, Image.Image]],
    told: Annotations,
    source: str,
    size: tuple[int, int] | None,
    notes: Sequence[str],
) -> Frames:
    """Frames of images of any size, grey or colour, each with where it comes from.

    Images of other sizes are resized (bilinear) to `size` or else to the most common size, and
    a note says how many. One colour image makes all RGB; one of more than 8 bits all float32.
    """
    origins, images = zip(*_bounded(opened, source), strict=True)
    target = size or _most_common_size(images)
    resized = sum(image.size != target[::-1] for image in images)
    mode = _common_mode(images)
    dtype: type[np.uint8] | type[np.float32] = np.float32 if mode == "F" else np.uint8
    stacked = np.stack([pixels(image, mode, target) for image in images]).astype(dtype)
    held: Any = stacked[:, None] if stacked.ndim == 3 else stacked.transpose(0, 3, 1, 2).copy()
    sizes = [f"{resized} of {len(images)} images resized to {target[0]} x {target[1]}"]
    return labelled(
        held,
        told,
        source,
        [*sizes[: bool(resized)], *notes],
        np.array(origins, object),
    )


def _bounded(
    opened: Iterable[tuple[str, Image.Image]], source: str
) -> Iterator[tuple[str, Image.Image]]:
    """The images; refused where all together are too large, of however few bytes."""
    numbers = 0
    for count, (origin, image) in enumerate(opened, start=1):
        numbers += image.width * image.height * len(image.getbands())
        refuse_too_large(source, count, "numbers", numbers // count, 4 if image.mode in DEEP else 1)
        yield origin, image


def open_image(path: Path | str, content: bytes | None = None) -> Image.Image:
    """The image of a file, or of its `content`, upright. Raises DataError naming `path`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on metadata; the pixels are what counts
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(
                path if content is None else BytesIO(content), formats=_FORMATS
            ) as image:
                image.load()
                upright: Image.Image = ImageOps.exif_transpose(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{path}: image refused, it declares too many pixels") from None
    except (OSError, SyntaxError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a readable image ({error}); mend or remove it") from None
    if upright.mode == "F" and not np.isfinite(np.asarray(upright)).all():
        raise DataError(f"{path}: holds pixels that are not finite; mend or remove it")
    return upright


def _most_common_size(images: Sequence[Image.Image]) -> tuple[int, int]:
    (width, height), _ = Counter(image.size for image in images).most_common(1)[0]
    return height, width


def _common_mode(images: Sequence[Image.Image]) -> str:
    modes = {image.mode for image in images}
    if modes & DEEP:
        return "F"
    return "L" if modes <= _GREY else "RGB"


def pixels(image: Image.Image, mode: str, size: tuple[int, int]) -> NDArray[Any]:
    """(H, W) or, of RGB, (H, W, 3); bilinear where `size` (height, width) is another."""
    if image.mode != mode:
        image = image.convert(mode)
    if image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image)
