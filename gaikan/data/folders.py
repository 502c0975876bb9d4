"""Image folders: `folder/<class>/*.png|jpg|jpeg|bmp|tif|tiff`, any size, grey or colour."""

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gaikan.data.frames import Frames
from gaikan.data.limits import refuse_too_large
from gaikan.errors import DataError

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
DEEP = {"I", "F", "I;16", "I;16B", "I;16L"}  # more than 8 bits a pixel: kept as float32
# By content. Pillow reads dozens more, one of them by running Ghostscript on the file.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
_GREY = {"1", "L", "LA"}


def frames_from_folder(folder: Path, source: str, size: tuple[int, int] | None) -> Frames:
    """The images of a folder, one class a subfolder, in the order of their sorted paths.

    Images of other sizes are resized (bilinear) to `size` or else to the most common size, and
    a note says how many. One colour image makes all RGB; one of more than 8 bits all float32.
    Raises DataError naming the file or folder.
    """
    paths, labels, classes, strays = _list(folder, source)
    opened = list(_opened(paths, source))
    target = size or _most_common_size(opened)
    resized = sum(image.size != target[::-1] for image in opened)
    mode = _common_mode(opened)
    dtype: type[np.uint8] | type[np.float32] = np.float32 if mode == "F" else np.uint8
    stacked = np.stack([pixels(image, mode, target) for image in opened]).astype(dtype)
    images: Any = stacked[:, None] if stacked.ndim == 3 else stacked.transpose(0, 3, 1, 2).copy()
    notes = []
    if resized:
        notes.append(f"{resized} of {len(paths)} images resized to {target[0]} x {target[1]}")
    if strays:
        notes.append(f"{strays} files that are not images were left out")
    return Frames(
        source=source,
        images=images,
        labels=np.asarray(labels, np.int64),
        classes=classes,
        keys=classes,
        rows=np.arange(len(paths)),
        notes=tuple(notes),
    )


def _list(folder: Path, source: str) -> tuple[list[Path], list[int], tuple[str, ...], int]:
    folders = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise DataError(f"{source}: no class folders in it; expected {source}/<class>/*.png")
    paths: list[Path] = []
    labels: list[int] = []
    strays = 0
    for label, sub in enumerate(folders):
        files = sorted(p for p in sub.iterdir() if p.is_file() and not p.name.startswith("."))
        found = [p for p in files if p.suffix.lower() in ENDINGS]
        if not found:
            raise DataError(f"{sub}: no images in this class folder; add some or remove it")
        paths += found
        labels += [label] * len(found)
        strays += len(files) - len(found)
    return paths, labels, tuple(p.name for p in folders), strays


def _opened(paths: list[Path], source: str) -> Iterator[Image.Image]:
    """The images; refused where all together are too large, of however few bytes."""
    numbers = 0
    for count, path in enumerate(paths, start=1):
        image = open_image(path)
        numbers += image.width * image.height * len(image.getbands())
        refuse_too_large(source, count, "numbers", numbers // count, 4 if image.mode in DEEP else 1)
        yield image


def open_image(path: Path) -> Image.Image:
    """The image, upright. Raises DataError naming the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on metadata; the pixels are what counts
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                image.load()
                upright: Image.Image = ImageOps.exif_transpose(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{path}: image refused, it declares too many pixels") from None
    except (OSError, SyntaxError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a readable image ({error}); mend or remove it") from None
    if upright.mode == "F" and not np.isfinite(np.asarray(upright)).all():
        raise DataError(f"{path}: holds pixels that are not finite; mend or remove it")
    return upright


def _most_common_size(images: list[Image.Image]) -> tuple[int, int]:
    (width, height), _ = Counter(image.size for image in images).most_common(1)[0]
    return height, width


def _common_mode(images: list[Image.Image]) -> str:
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
