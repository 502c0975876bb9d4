"""Frame tables: one image a row, its pixels in columns `data0`..`dataN`."""

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Images, Names
from gaikan.data.limits import LONGEST_NAME, refuse_too_large
from gaikan.data.room import room
from gaikan.errors import DataError, first_line, shown

if TYPE_CHECKING:
    from gaikan.data.large import LargeTable

COLUMNS = ("label", "fmode", "group")
_TERMINAL_PIXELS, _TERMINAL_SIZE = 1404, (36, 39)
_ROWS = 2**15  # of an Arrow table that are copied at once
_PIXEL = re.compile("data(0|[1-9][0-9]{0,8})").fullmatch
_LARGEST = 2.0**53  # up to which a float tells a whole number from the next


def frames_from_table(
    table: "pa.Table | LargeTable", source: str, size: tuple[int, int] | None
) -> Frames:
    """The images of an Arrow table or a large file, read column by column.

    `size` is (height, width); without it 1404 pixels are 36 x 39 and a square number is a
    square. Pixels stay uint8 where all are integers in 0..255, else they become float32.
    Raises DataError naming column and row.
    """
    if table.num_rows == 0:
        raise DataError(f"{source}: the table has no rows")
    names = Counter(table.column_names)
    repeated = sorted(name for name, count in names.items() if count > 1)
    if repeated:
        raise DataError(f"{source}: column {shown(repeated[0])} occurs more than once")
    pixels = pixel_columns(list(names), source)
    height, width = _image_size(len(pixels), size, source)
    labels = _texts(table, "label", source)
    modes = _texts(table, "fmode", source) if "fmode" in names else None
    groups = _texts(table, "group", source) if "group" in names else None
    keys, index = unique_labels(labels)
    read = read_pixels if isinstance(table, pa.Table) else type(table).pixels
    images = read(table, pixels, source).reshape(-1, 1, height, width)
    return Frames(
        source=source,
        images=images,
        labels=index,
        classes=class_names(keys, index, modes),
        keys=keys,
        rows=np.arange(len(images)),
        modes=modes,
        groups=groups,
    )


def unique_labels(labels: Names) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The distinct labels, integers in numeric order and others by name, and each row's index."""
    keys, index = np.unique(labels, return_inverse=True)
    if all(re.fullmatch("-?[0-9]{1,18}", key) for key in keys):
        order = np.argsort([int(key) for key in keys])
        keys, index = keys[order], np.argsort(order)[index]
    return tuple(keys.tolist()), index.astype(np.int64)


def class_names(
    keys: tuple[str, ...], labels: NDArray[np.int64], modes: Names | None
) -> tuple[str, ...]:
    """Failure modes as class names where label and mode correspond one to one, else the labels."""
    if modes is None:
        return keys
    pairs = sorted({(int(label), mode) for label, mode in zip(labels, modes.tolist(), strict=True)})
    names = tuple(mode for _, mode in pairs)
    one_to_one = len(pairs) == len(keys) == len(set(names)) and all(names)
    return names if one_to_one else keys


def pixel_columns(names: list[str], source: str) -> list[str]:
    """The names `data0`..`dataN` in that order. Raises DataError where there is a gap."""
    numbers = sorted({int(name[4:]) for name in names if _PIXEL(name)})
    if not numbers:
        raise DataError(
            f"{source}: no pixel columns 'data0', 'data1', ...; "
            f"there are {', '.join(map(shown, names[:5]))}{' ...' if len(names) > 5 else ''}"
        )
    missing = next((i for i, number in enumerate(numbers) if i != number), None)
    if missing is not None:
        raise DataError(
            f"{source}: column 'data{missing}' is missing ({numbers[-1] + 1} columns "
            f"data0..data{numbers[-1]} expected, {len(numbers)} found)"
        )
    return [f"data{number}" for number in numbers]


def _image_size(pixels: int, size: tuple[int, int] | None, source: str) -> tuple[int, int]:
    if size is not None:
        if size[0] * size[1] != pixels:
            raise DataError(
                f"{source}: {pixels} pixel columns do not make {size[0]} x {size[1]} images "
                f"({size[0] * size[1]} needed)"
            )
        return size
    if pixels == _TERMINAL_PIXELS:
        return _TERMINAL_SIZE
    side = math.isqrt(pixels)
    if side * side == pixels:
        return side, side
    raise DataError(
        f"{source}: {pixels} pixel columns are neither 36 x 39 nor a square; "
        f"say --shape HEIGHTxWIDTH (1404 columns make 36x39)"
    )


def _texts(table: pa.Table, name: str, source: str) -> Names:
    """A column as text, (N,); whole floats lose their '.0'."""
    if name not in table.column_names:
        raise DataError(f"{source}: column {name!r} is missing")
    column = table.column(name)
    if not _is_text(column.type):
        column = _decoded(column)
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise DataError(f"{source}: column {name!r}, row {row}: the cell is empty")
    if pa.types.is_nested(column.type):
        raise DataError(f"{source}: column {name!r} holds {column.type}, not one value a row")
    if pa.types.is_floating(column.type):
        column = _whole(column, name, source)
    try:
        texts, index = _coded(column)
    except (pa.ArrowException, ValueError) as error:
        reason = first_line(error)
        raise DataError(f"{source}: column {name!r} cannot be read as text ({reason})") from None
    longest = max(map(len, texts))
    if longest > LONGEST_NAME:
        raise DataError(
            f"{source}: column {name!r} has a text of {longest} characters; a name has at most "
            f"{LONGEST_NAME}"
        )
    refuse_too_large(source, len(index), "characters", longest, 4)
    named: Names = np.asarray(texts, np.str_)[index]
    return named


def _is_text(kind: Any) -> bool:
    """Whether a column is dictionary-encoded text."""
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _coded(column: Any) -> tuple[list[str], NDArray[Any]]:
    """The texts that occur in a column, and which of them each row has."""
    coded = column if _is_text(column.type) else pc.cast(column, pa.string()).dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    whole.validate(full=True)  # a damaged file's indices may lead anywhere
    texts = whole.dictionary.to_pylist()
    if None in texts:
        raise ValueError("a cell is empty")
    return texts, whole.indices.to_numpy()


def _decoded(column: Any) -> Any:
    """A dictionary-encoded column as its values."""
    if pa.types.is_dictionary(column.type):
        return pc.cast(column, column.type.value_type)
    return column


def _whole(column: Any, name: str, source: str) -> Any:
    """Floats as integers."""
    values = column.to_numpy().astype(np.float64)
    whole = (np.abs(values) < _LARGEST) & (values == np.trunc(values))
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(f"{source}: column {name!r}, row {row}: {values[row]} is no class")
    return pc.cast(column, pa.int64())


def read_pixels(table: pa.Table, names: list[str], source: str) -> Images:
    """(N, pixels), uint8 where all are integers in 0..255, else float32."""
    dtype = np.uint8 if is_compact(table, names) else np.float32
    images = room((table.num_rows, len(names)), dtype)
    for start in range(0, table.num_rows, _ROWS):
        rows = table.slice(start, _ROWS)
        images[start : start + _ROWS] = pixels_as(dtype, rows, names, source, start)
    return images


def is_compact(table: Any, names: list[str]) -> bool:
    """Whether all values of these columns are integers in 0..255."""
    columns = [_decoded(table.column(name)) for name in names]
    return all(pa.types.is_integer(column.type) for column in columns) and all(
        column.type == pa.uint8() or _within_bytes(column) for column in columns
    )


def pixels_as(
    dtype: type[np.uint8] | type[np.float32],
    table: Any,
    names: list[str],
    source: str,
    first_row: int = 0,
) -> Images:
    """(N, pixels) of a table or a record batch: a contiguous copy a column, one transposition.

    Raises DataError naming column and row (counted from `first_row`) of what `dtype` cannot hold.
    """
    by_column = np.empty((len(names), table.num_rows), dtype)
    for i, name in enumerate(names):
        by_column[i] = _numbers(
            _decoded(table.column(name)), name, source, by_column.dtype, first_row
        )
    if dtype is np.float32:
        finite = np.isfinite(by_column)
        if not finite.all():
            i, row = np.argwhere(~finite)[0]
            raise DataError(
                f"{source}: column {names[i]!r}, row {row + first_row}: "
                f"{_cell(table.column(names[i]), row)} is not finite; mend or drop the row"
            )
    images: Images = np.ascontiguousarray(by_column.T)
    return images


def _within_bytes(column: Any) -> bool:
    extremes = pc.min_max(column).as_py()
    return extremes["min"] is not None and extremes["min"] >= 0 and extremes["max"] <= 255


def _numbers(
    column: Any, name: str, source: str, dtype: np.dtype[Any], first_row: int
) -> NDArray[Any]:
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise DataError(f"{source}: column {name!r}, row {row + first_row}: the cell is empty")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(f"{source}: column {name!r}{_no_number(column, first_row)}")
    given = column.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite: the caller reports it
        values = np.asarray(given).astype(dtype)
    if dtype == np.uint8 and given.dtype != np.uint8 and not np.array_equal(values, given):
        row = int(np.argmin(values == given))
        raise DataError(
            f"{source}: column {name!r}, row {row + first_row}: {given[row]} is not a whole "
            "number in 0..255 as the model's training images are"
        )
    return values


def _no_number(column: Any, first_row: int) -> str:
    """Where in a column of another type there is no number, and what instead."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = pc.cast(column, pa.large_binary()).to_pylist()  # which need not be text after all
        row = next((i for i, text in enumerate(texts) if not _is_number(text)), 0)
        text = texts[row].decode(errors="replace")
        return f", row {row + first_row}: {shown(text)} is not a number"
    return f" holds {column.type}, not numbers"


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(column: Any, row: int) -> Any:
    return column[int(row)].as_py()
