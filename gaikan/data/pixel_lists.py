"""Columns that hold the pixels of each image as a list, or lists of lists, of numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.arrow_columns import is_list
from gaikan.data.columns import Where
from gaikan.data.frames import Images
from gaikan.data.image_files import DecodedImage, Opener, Size, decoded_array
from gaikan.data.limits import refuse_too_large
from gaikan.data.precision import refuse_lost_contrast
from gaikan.data.shapes import Shape, shape_from, shape_in_metadata
from gaikan.errors import DataError, shown


def is_pixel_list(kind: Any) -> bool:
    """Whether a column holds lists, or lists of lists, of numbers."""
    depth = 0
    kind = _stored(kind)
    while is_list(kind):
        kind, depth = kind.value_type, depth + 1
    return depth > 0 and bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _stored(kind: Any) -> Any:
    """`datasets.Array2D` as the lists that it is stored as."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def pixel_lists(column: Any, where: Where) -> list[NDArray[Any]]:
    """The numbers of each row, flat. Raises DataError naming the row of an empty cell."""
    rows: list[NDArray[Any]] = []
    for chunk in column.chunks:
        for cell in chunk:
            values = cell.values
            while values is not None and is_list(values.type):
                values = None if values.null_count else values.flatten()
            if values is None or values.null_count or not len(values):
                raise DataError(f"{where.row(len(rows))}: a value is empty")
            rows.append(values.to_numpy(zero_copy_only=False))
    return rows


def shapes_of_lists(
    table: pa.Table, arrays: list[NDArray[Any]], column: Any, where: Where
) -> Shape | list[Shape] | None:
    """What tells the shape: the column `shape`, lists within lists, or the metadata.

    A list where rows differ.
    """
    dims: list[tuple[int, ...]] | None = None
    if "shape" in table.column_names:
        dims = _shape_cells(table.column("shape"), where)
    elif is_list(column.type.value_type):
        dims = _lengths(column, where)
    if dims is None:
        told = shape_in_metadata(table.schema.metadata, where.column)
        if len({len(array) for array in arrays}) > 1:
            raise DataError(no_shape(where.column))
        return told
    shapes = [shape_from(each, where.row(row)) for row, each in enumerate(dims)]
    for row, (shape, array) in enumerate(zip(shapes, arrays, strict=True)):
        if shape.values != len(array):
            raise DataError(f"{where.row(row)}: {len(array)} values are not {shape}")
    return shapes[0] if len(set(shapes)) == 1 else shapes


def no_shape(column: str) -> str:
    """What is said where rows differ and nothing tells their shapes."""
    return (
        f"{column}: its rows have different numbers of values, and nothing says of what shape; "
        "add a column 'shape', such as [24, 32]"
    )


def _shape_cells(column: Any, where: Where) -> list[tuple[int, ...]]:
    dims = []
    for row, cell in enumerate(column.to_pylist()):
        if not isinstance(cell, list) or not all(isinstance(side, int) for side in cell):
            raise DataError(
                f"{where.row(row)}: its 'shape' is {shown(cell)}; expected such as [24, 32]"
            )
        dims.append(tuple(cell))
    return dims


def _lengths(column: Any, where: Where) -> list[tuple[int, ...]]:
    """Of lists within lists, of each row. Raises DataError where they are not a block."""
    dims: list[tuple[int, ...]] = []
    for chunk in column.chunks:
        row_of, level, sides = np.arange(len(chunk)), chunk, []
        while len(chunk) and is_list(level.type):
            lengths = pc.list_value_length(level).to_numpy(zero_copy_only=False)
            starts = np.searchsorted(row_of, np.arange(len(chunk)))
            least, most = (f.reduceat(lengths, starts) for f in (np.minimum, np.maximum))
            bad = (least != most) | (least == 0)
            if bad.any():
                row = len(dims) + int(bad.argmax())
                raise DataError(f"{where.row(row)}: its lists are of different lengths")
            sides.append(least)
            row_of, level = np.repeat(row_of, lengths), level.flatten()
        dims += zip(*(side.tolist() for side in sides), strict=True)
    return dims


def stacked(arrays: list[NDArray[Any]], where: Where) -> Images:
    """(N, values), uint8 where all are integers in 0..255, else float32."""
    refuse_too_large(where.column, len(arrays), "numbers", len(arrays[0]), 4)
    rows = np.stack(arrays)
    if rows.dtype.kind in "iu" and rows.min() >= 0 and rows.max() <= 255:
        return rows.astype(np.uint8)
    with np.errstate(over="ignore"):
        floats = rows.astype(np.float32)
    finite = np.isfinite(floats).all(1)
    if not finite.all():
        raise DataError(
            f"{where.row(int(finite.argmin()))}: holds a value that is not finite; mend or drop "
            "the row"
        )
    refuse_lost_contrast(floats, [rows], where.column)
    return floats


def as_images(arrays: list[NDArray[Any]], shapes: list[Shape], where: Where) -> Iterator[Opener]:
    """Images of several shapes, to be brought to one."""
    for row, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        yield of_list(shape.arranged(stacked([array], Where(where.column, where.first + row)))[0])


def of_list(values: Images) -> Opener:
    """What brings an image (C, H, W) to the size of others. Raises DataError on RGB of floats."""
    if len(values) == 3 and values.dtype != np.uint8:
        raise DataError(
            "lists of pixels: colour of several sizes is resized only from 0..255; bring all to "
            "one size first"
        )

    def read(size: Size | None) -> DecodedImage:
        image = decoded_array(values)
        return image if size is None else image.fitted(size)

    return read
