"""How a row of values becomes an image: told, asked for, or the only way that there is."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gaikan.data.frames import Images
from gaikan.data.room import room
from gaikan.errors import DataError
from gaikan.language.words import Words, say

_TERMINAL_PIXELS, _TERMINAL_SIZE = 1404, (36, 39)
_SMALLEST, _LONGEST = 12, 4  # pixels a side, and long to short side, of a likely image
_AT_ONCE = 2**26  # bytes that are copied at once


class ShapeError(DataError):
    """Nothing says what height and width the images have."""


@dataclass(frozen=True)
class Shape:
    """Of an image in a row of values: row by row, each pixel's channels together or apart."""

    height: int
    width: int
    channels: int = 1
    channel_first: bool = False

    def __str__(self) -> str:
        return f"{self.height} x {self.width}" + (f" x {self.channels}" * (self.channels > 1))

    @property
    def values(self) -> int:
        """How many numbers an image is."""
        return self.height * self.width * self.channels

    def arranged(self, rows: Images) -> Images:
        """Rows (N, values) as images (N, C, H, W)."""
        first = (self.channels, self.height, self.width)
        if self.channels == 1 or self.channel_first:
            return rows.reshape(-1, *first)
        last = rows.reshape(-1, self.height, self.width, self.channels)
        images: Images = room((len(rows), *first), rows.dtype)
        step = max(1, _AT_ONCE // max(1, rows[:1].nbytes))
        for start in range(0, len(rows), step):
            images[start : start + step] = last[start : start + step].transpose(0, 3, 1, 2)
        return images


def shape_of(
    n_values: int, size: tuple[int, int] | None, told: Shape | None, source: str
) -> tuple[Shape, list[Words]]:
    """The shape of images of `n_values`, and what is to be said of it.

    `size` (height, width) is what the user or the other source says, `told` what the table does.
    Raises ShapeError, with the likely readings, where neither does and there are several.
    """
    if told is not None and told.values != n_values:
        raise DataError(f"{source}: {n_values} values a row are not {told}, which its shape says")
    if size is not None:
        return _of_size(n_values, size, told, source)
    if told is not None:
        return told, []
    if n_values == _TERMINAL_PIXELS:
        return Shape(*_TERMINAL_SIZE), []
    return _only_reading(n_values, source)


def _of_size(
    n_values: int, size: tuple[int, int], told: Shape | None, source: str
) -> tuple[Shape, list[Words]]:
    if told is not None and (told.height, told.width) == size:
        return told, []
    if told is not None:
        raise DataError(
            f"{source}: its shape says {told}, not {size[0]} x {size[1]}; the images of a table "
            "are not resized"
        )
    if size[0] * size[1] == n_values:
        return Shape(*size), []
    if 3 * size[0] * size[1] == n_values:
        return Shape(*size, 3), [say("read_as_colours", n=n_values, height=size[0], width=size[1])]
    raise DataError(
        f"{source}: {n_values} pixel columns do not make {size[0]} x {size[1]} images "
        f"({size[0] * size[1]} needed, of colour {3 * size[0] * size[1]})"
    )


def _only_reading(n_values: int, source: str) -> tuple[Shape, list[Words]]:
    """The square, where nothing else is likely. Raises ShapeError."""
    likely = readings(n_values)
    side = math.isqrt(n_values)
    if side * side != n_values:
        ways = f": {_listed(likely)}" if likely else ""
        raise ShapeError(
            f"{source}: {n_values} pixel columns are neither 36 x 39 nor a square; "
            f"say --shape HEIGHTxWIDTH{ways or ' (1404 columns make 36x39)'}"
        )
    if [shape for shape in likely if (shape.height, shape.width) != (side, side)]:
        raise ShapeError(
            f"{source}: {n_values} pixel columns may be {_listed(likely)}; say which: "
            "--shape HEIGHTxWIDTH"
        )
    note = say("read_as_square", n=n_values, side=side)
    return Shape(side, side), [note] * (side > 1)


def readings(n_values: int) -> list[Shape]:
    """The likely shapes, the squarest first; each stands for the one turned by 90 degrees too."""
    found = []
    for channels in (1, 3):
        pixels, rest = divmod(n_values, channels)
        for short in range(_SMALLEST, math.isqrt(pixels) + 1):
            if not rest and pixels % short == 0 and pixels // short <= _LONGEST * short:
                found.append(Shape(short, pixels // short, channels))
    return sorted(found, key=lambda shape: (shape.width / shape.height, shape.channels))


def _listed(shapes: list[Shape]) -> str:
    names = [
        f"{s} or {Shape(s.width, s.height, s.channels)}" if s.height != s.width else str(s)
        for s in shapes[:6]
    ]
    return ", ".join(names) + " ..." * (len(shapes) > 6)


def shape_from(values: tuple[int, ...], source: str) -> Shape:
    """(H, W), (H, W, C) or (C, H, W) as a shape; C is 1 or 3. Raises DataError."""
    if len(values) == 2 and min(values) > 0:
        return Shape(*values)
    if len(values) == 3 and min(values) > 0:
        first, last = values[0] in (1, 3), values[2] in (1, 3)
        if last and not first:
            return Shape(*values)
        if first and not last:
            return Shape(values[1], values[2], values[0], channel_first=True)
    text = " x ".join(map(str, values))
    raise DataError(
        f"{source}: its shape says {text}; height x width, with 1 or 3 channels, is read"
    )


def shape_in_metadata(metadata: Mapping[bytes, bytes] | None, source: str) -> Shape | None:
    """The `shape` that a parquet file's own metadata hold: `[24, 32, 3]` or `24x32x3`."""
    text = (metadata or {}).get(b"shape")
    if text is None:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = re.split(r"\s*[x*,]\s*", text.decode(errors="replace").strip(" ()"))
    try:
        return shape_from(tuple(int(value) for value in values), source)
    except (TypeError, ValueError, OverflowError):
        raise DataError(
            f"{source}: the metadata's shape is {text[:60]!r}; expected such as [24, 32, 3]"
        ) from None
