"""The columns `data0`..`dataN` of a table, as the pixels of images."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.arrow_columns import decoded, is_text
from gaikan.data.columns import is_pixel
from gaikan.data.frames import Images
from gaikan.data.precision import refuse_lost_contrast
from gaikan.data.room import room
from gaikan.errors import DataError, shown

_ROWS = 2**15  # of an Arrow table that are copied at once


def pixel_columns(names: list[str], source: str) -> list[str]:
    """The names `data0`..`dataN` in that order. Raises DataError where there is a gap."""
    numbers = sorted({int(name[4:]) for name in names if is_pixel(name)})
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


def read_pixels(table: pa.Table, names: list[str], source: str) -> Images:
    """(N, pixels), uint8 where all are integers in 0..255, else float32."""
    dtype = np.uint8 if is_compact(table, names) else np.float32
    images = room((table.num_rows, len(names)), dtype)
    for start in range(0, table.num_rows, _ROWS):
        rows = table.slice(start, _ROWS)
        images[start : start + _ROWS] = pixels_as(dtype, rows, names, source, start)
    refuse_lost_contrast(images, numbers_of(table, names), source)
    return images


def read_group(
    file: Any, group: int, names: list[str], source: str, use_threads: bool = True
) -> pa.Table:
    """Columns of a row group of a parquet file. Raises DataError where it has fewer rows than told.

    pyarrow raises ArrowException or OSError on other damage, and takes this for a short table.
    """
    part = file.read_row_group(group, names, use_threads=use_threads)
    n_rows = file.metadata.row_group(group).num_rows
    if part.num_rows != n_rows:
        raise DataError(
            f"{source}: not a readable parquet file (row group {group} is to have {n_rows} rows "
            f"and holds {part.num_rows}); write it again"
        )
    return part


def numbers_of(table: Any, names: list[str]) -> Iterator[NDArray[Any]]:
    """The numbers of each column as the table has them."""
    for name in names:
        yield decoded(table.column(name)).to_numpy(zero_copy_only=False)


def is_compact(table: Any, names: list[str]) -> bool:
    """Whether all values of these columns are integers in 0..255."""
    columns = [decoded(table.column(name)) for name in names]
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
            decoded(table.column(name)), name, source, by_column.dtype, first_row
        )
    if dtype is np.float32:
        finite = np.isfinite(by_column)
        if not finite.all():
            i, row = np.argwhere(~finite)[0]
            raise DataError(
                f"{source}: column {shown(names[i])}, row {row + first_row}: "
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
        raise DataError(f"{source}: column {shown(name)}, row {row + first_row}: the cell is empty")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(f"{source}: column {shown(name)}{_no_number(column, first_row)}")
    given = column.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite: the caller reports it
        values = np.asarray(given).astype(dtype)
    if dtype == np.uint8 and given.dtype != np.uint8 and not np.array_equal(values, given):
        row = int(np.argmin(values == given))
        raise DataError(
            f"{source}: column {shown(name)}, row {row + first_row}: {given[row]} is not a whole "
            "number in 0..255 as the model's training images are"
        )
    return values


def _no_number(column: Any, first_row: int) -> str:
    """Where in a column of another type there is no number, and what instead."""
    if is_text(column.type):
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
