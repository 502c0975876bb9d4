"""One image file decoded: its pixels as the file says, upright, or refused by name."""

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gaikan.data.frames import Images
from gaikan.data.unread import MEND, UnreadImageError
from gaikan.errors import DataError, first_line

# By content. Pillow reads dozens more, one of them by running Ghostscript on the file.
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_JPEG = ("JPEG", "MPO")  # an MPO of a camera is a JPEG with previews behind it
_SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N")
_TURNED = (5, 6, 7, 8)  # orientations that exchange height and width
_ORIENTATION, _BITS, _PHOTOMETRIC, _BANDS, _EXTRA, _SAMPLES = 274, 258, 262, 277, 338, 339
_WHITE_IS_0 = 0
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}  # bands of a TIFF by its photometric interpretation
_ALPHA = ((1,), (2,))  # what a band after the colours may be

TRANSPARENT = "have transparency, which is left out"
SEVERAL = "have several pictures in the file, of which the first is read"

_REMEDIES: dict[type[Exception], str] = {  # of what is no damaged file
    FileNotFoundError: "correct its path",
    IsADirectoryError: "name the images in it",
    PermissionError: "let this user read it",
}

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class DecodedImage:
    """The upright image of a file, and what kind of file it was."""

    image: Image.Image  # mode L or RGB; F where a pixel has more than 8 bits
    depth: str | None  # 8-bit, 16-bit or float; None: numbers of a table
    kind: str  # PNG, JPEG, ...
    size: Size  # in the file, before it was resized
    is_transparent: bool = False  # somewhere, which is left out
    n_pictures: int = 1  # in the file, of which the first is read

    @property
    def is_jpeg(self) -> bool:
        """Whether it may be decoded at a fraction of its size."""
        return self.kind in _JPEG

    @property
    def is_colour(self) -> bool:
        """Whether it has red, green and blue."""
        return self.image.mode == "RGB"

    def fitted(self, size: Size) -> "DecodedImage":
        """At another height and width (bilinear)."""
        if self.image.size == size[::-1]:
            return self
        return replace(self, image=self.image.resize(size[::-1], Image.Resampling.BILINEAR))

    def values(self, channels: int) -> Images:
        """Its pixels for `channels` of grey or colour: (3, H, W), or (1, H, W) where it is grey."""
        image = self.image.convert("L") if channels == 1 and self.is_colour else self.image
        array = np.asarray(image)
        return array.transpose(2, 0, 1) if array.ndim == 3 else array[None]


def decoded_array(values: Images) -> DecodedImage:
    """Pixels (C, H, W), uint8 or float32, as an image that can be fitted; C of float32 is 1."""
    array = values[0] if len(values) == 1 else values.transpose(1, 2, 0).copy()
    return DecodedImage(Image.fromarray(array), None, "numbers", values.shape[1:])


Refused = tuple[str, str]  # why an image is not read, and what to do


Opener = Callable[[Size | None], DecodedImage]  # reads an image, at a size or at its own


def opener(path: Path | str, content: bytes | None = None) -> Opener:
    """What reads the image of a file, or of its `content`, when it is called."""
    return partial(open_image, path, content)


def refusing(error: DataError) -> Opener:
    """What stands for an image that there is not: when it is called, it raises `error`."""

    def refuse(size: Size | None) -> DecodedImage:
        raise error

    return refuse


def open_image(
    path: Path | str, content: bytes | None = None, size: Size | None = None
) -> DecodedImage:
    """The image of a file, or of its `content`, at `size` where that is given.

    A JPEG that is at least four times as large is decoded at a fraction (1/2, 1/4, 1/8) that is
    still twice `size` or more: a photograph of 12 megapixels takes a tenth of the time. Raises
    DataError naming `path`, also where the pixels cannot be kept as the file has them.
    """
    try:
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", UserWarning)  # on metadata; the pixels are what counts
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Not by path: what Pillow then maps into memory comes out sheared where it is turned.
            file: IO[bytes] = BytesIO(content or b"")
            if content is None:
                file = stack.enter_context(Path(path).open("rb"))
            if not file.seek(0, SEEK_END):
                raise ValueError("the file is empty")
            file.seek(0)
            image = stack.enter_context(Image.open(file, formats=_FORMATS))
            n_pictures = int(getattr(image, "n_frames", 1))
            if reason := _not_kept(image, n_pictures):
                raise UnreadImageError(path, *reason)
            decoded = _decoded(image, n_pictures, size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        too_many = "image refused, it declares too many pixels"
        raise UnreadImageError(path, too_many, "save it smaller") from None
    except (OSError, SyntaxError, TypeError, ValueError) as error:
        remedy = _REMEDIES.get(type(error), MEND)
        raise UnreadImageError(path, f"not a readable image ({_damage(error)})", remedy) from None
    if decoded.image.mode == "F" and not np.isfinite(np.asarray(decoded.image)).all():
        raise UnreadImageError(path, "holds pixels that are not finite", MEND)
    return decoded


def _damage(error: Exception) -> str:
    """What is wrong with a file that Pillow does not read, without Pillow's own objects in it."""
    if isinstance(error, UnidentifiedImageError):
        return f"damaged, or none of {', '.join(_FORMATS)}"
    return (isinstance(error, OSError) and error.strerror) or first_line(error)


def _decoded(image: Image.Image, n_pictures: int, size: Size | None) -> DecodedImage:
    in_file = image.size
    if size is not None and image.format in _JPEG:
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        height, width = size[::-1] if turned else size
        image.draft(None, (2 * width, 2 * height))
    image.load()
    upright = ImageOps.exif_transpose(image)
    was_turned = (upright.width > upright.height) != (image.width > image.height)
    plain = _plain(upright)
    decoded = DecodedImage(
        image=plain,
        depth="8-bit" if plain.mode != "F" else "float" if upright.mode == "F" else "16-bit",
        kind=str(image.format),
        size=in_file if was_turned else in_file[::-1],
        is_transparent=_is_transparent(upright),
        n_pictures=n_pictures,
    )
    return decoded if size is None else decoded.fitted(size)


def _plain(image: Image.Image) -> Image.Image:
    """As L, RGB or F, whichever holds it."""
    if image.mode in (*_SIXTEEN, "I", "F"):
        return image.convert("F")
    if image.mode == "La":  # grey that was multiplied by its transparency
        return image.convert("LA").convert("L")
    if image.mode in ("1", "L", "LA") or _has_grey_palette(image):
        return image.convert("L")
    return image.convert("RGB")


def _has_grey_palette(image: Image.Image) -> bool:
    """Whether all colours that a palette is used for are grey."""
    if image.mode != "P":
        return False
    colours = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    used = np.unique(np.asarray(image))
    return bool(used.max() < len(colours) and (colours[used, 0] == colours[used].T).all())


def _is_transparent(image: Image.Image) -> bool:
    last = image.getbands()[-1]
    if last in ("A", "a"):
        return int(np.asarray(image.getchannel(last)).min()) < 255
    return "transparency" in image.info


def _not_kept(image: Image.Image, n_pictures: int) -> Refused | None:
    """Why the pixels would not be those of the file; None where they are."""
    if n_pictures > 1 and image.format != "MPO":
        return f"{n_pictures} pages in one file", "save each page as a file of its own"
    if image.mode in ("CMYK", "LAB"):
        return f"colours as {image.mode} are not read", "save it as grey or RGB"
    if image.format == "PNG" and image.mode not in (*_SIXTEEN, "I"):
        deep = any(";16" in str(tile[3]) for tile in image.tile)  # type: ignore[attr-defined]
        return _TOO_DEEP if deep else None
    return _tiff_not_kept(image) if image.format == "TIFF" else None


_TOO_DEEP = (
    "16 bits a channel in colour or beside transparency, of which only 8 would be read",
    "save it as grey of 16 bits, or with 8 bits a channel",
)


def _tiff_not_kept(image: Image.Image) -> Refused | None:
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits, photometric = tags.get(_BITS, (1,)), tags.get(_PHOTOMETRIC, 1)
    n_bands = tags.get(_BANDS, len(bits))
    n_extra = n_bands - _COLOURS.get(photometric, n_bands)
    if n_extra > 1 or (n_extra == 1 and tags.get(_EXTRA) not in _ALPHA):
        return f"{n_bands} bands a pixel", "save it as grey or RGB, with or without transparency"
    if 2 in tags.get(_SAMPLES, (1,)) or image.mode == "I":
        return "signed or 32-bit whole numbers are not read", "save it with 16 bits or as float"
    if max(bits) > 8 and photometric == _WHITE_IS_0:
        return "white is 0 in more than 8 bits", "save it with black as 0"
    return _TOO_DEEP if max(bits) > 8 and n_bands > 1 else None
