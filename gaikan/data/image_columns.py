"""Tables that hold images in a column: encoded (`datasets.Image`), lists of pixels, or paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.annotations import labelled
from gaikan.data.columns import Asked, named, only_image_column, refuse_repeated
from gaikan.data.folders import frames_of_images
from gaikan.data.frames import Frames, Images
from gaikan.data.image_files import DecodedImage, Opener, decoded_array, opener, refusing
from gaikan.data.limits import refuse_too_large
from gaikan.data.path_tables import PATHS, Finder
from gaikan.data.precision import refuse_lost_contrast
from gaikan.data.shapes import Shape, shape_from, shape_in_metadata, shape_of
from gaikan.data.tables import TextColumns, read_annotations
from gaikan.errors import DataError, shown

Size = tuple[int, int] | None


def image_column(schema: pa.Schema, asked: Asked, source: str) -> str | None:
    """The column of the images; None where the pixels are columns of their own.

    The one that was asked for, else pixel columns, else the only one that holds images, else
    paths. Raises DataError.
    """
    refuse_repeated(schema.names, source)
    if asked.image is not None:
        return named(asked.image, schema.names, "--image-column", source)
    if "data0" in schema.names:
        return None
    may_be = [field.name for field in schema if is_encoded(field.type)]
    may_be = may_be or [
        field.name for field in schema if field.name != "shape" and is_pixel_list(field.type)
    ]
    if may_be:
        return only_image_column(may_be, source)
    return next((name for name in PATHS if name in schema.names), None)


def is_encoded(kind: Any) -> bool:
    """Whether a column holds the content of image files, or {bytes, path} of them."""
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def is_pixel_list(kind: Any) -> bool:
    """Whether a column holds lists, or lists of lists, of numbers."""
    depth = 0
    kind = _stored(kind)
    while _is_list(kind):
        kind, depth = kind.value_type, depth + 1
    return depth > 0 and bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _stored(kind: Any) -> Any:
    """`datasets.Array2D` as the lists that it is stored as."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def columns_with(image: str, schema: pa.Schema) -> list[str]:
    """The image's column, and the one that says of what shape its values are."""
    return [image, *["shape"][: "shape" in schema.names and image != "shape"]]


def frames_from_image_column(
    texts: pa.Table,
    pieces: Iterable[pa.Table],
    image: str,
    found: TextColumns,
    source: str,
    folder: Path,
    size: Size,
    notes: Sequence[str] = (),
) -> Frames:
    """Frames of a table's column of images; paths in it are relative to `folder`.

    `texts` has the columns that say what they are, `pieces` the images, a few rows at a time.
    """
    if texts.num_rows == 0:
        raise DataError(f"{source}: the table has no rows")
    told = read_annotations(texts, found, source)
    all_notes = [*notes, *found.notes]
    columns = _read_pieces(pieces, image, source, folder, size)
    first = next(columns)
    columns = chain([first], columns)
    if not isinstance(first.images, np.ndarray):
        return frames_of_images(_one_by_one(columns), told, source, size, all_notes)
    held = list(columns)
    arrays = [each.images for each in held if isinstance(each.images, np.ndarray)]
    if len(arrays) < len(held) or len({array.shape[1:] for array in arrays}) > 1:
        if not first.is_told:
            raise DataError(_no_shape(f"{source}: column {shown(image)}"))
        return frames_of_images(_one_by_one(held), told, source, size, all_notes)
    return labelled(np.concatenate(arrays), told, source, [*all_notes, *first.notes])


def _read_pieces(
    pieces: Iterable[pa.Table], image: str, source: str, folder: Path, size: Size
) -> "Iterator[Column]":
    first_row = numbers = 0
    for piece in pieces:
        column = read_column(piece, image, source, folder, size, first_row)
        first_row += piece.num_rows
        if isinstance(column.images, np.ndarray):
            numbers += column.images.size
            refuse_too_large(source, first_row, "numbers", numbers // first_row, 4)
        yield column


def _one_by_one(columns: "Iterable[Column]") -> Iterator[tuple[str, Opener]]:
    for column in columns:
        images = column.images
        if isinstance(images, np.ndarray):
            images = map(_of_list, images)
        yield from zip(column.origins, images, strict=True)


@dataclass(frozen=True)
class Column:
    """Images (N, C, H, W), or one by one where they may be of several sizes or modes."""

    images: Images | Iterable[Opener]
    origins: list[str]
    notes: list[str]
    is_told: bool = True  # of what shape they are


def read_column(
    table: pa.Table,
    image: str,
    source: str,
    folder: Path,
    size: Size,
    first_row: int = 0,
    strict: bool = True,
) -> Column:
    """The images of a column. Raises DataError naming it and the row, from `first_row` on.

    Where a file cannot be read, its opener raises it; where there is none, too, if not `strict`.
    """
    column = _values(table.column(image))
    where = Where(f"{source}: column {shown(image)}", first_row)
    rows = [f"{source}:{first_row + row}" for row in range(table.num_rows)]
    if is_encoded(column.type):
        return _encoded(column, image, source, folder, rows, where)
    if is_pixel_list(column.type):
        arrays = pixel_lists(column, where)
        shapes = _shapes(table, arrays, column, where)
        if isinstance(shapes, list):
            return Column(_as_images(arrays, shapes, where), rows, [])
        shape, notes = shape_of(len(arrays[0]), size, shapes, where.column)
        is_told = shapes is not None or size is not None
        return Column(shape.arranged(_stacked(arrays, where)), rows, notes, is_told)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        finder = Finder(folder, source, image, first_row)
        paths = _texts(column, where)
        if strict:
            finder.all(paths)
        found = list(finder.openers(paths))
        return Column([read for _, read in found], [name for name, _ in found], [])
    raise DataError(
        f"{where.column} holds {column.type}, no images; name another with --image-column"
    )


@dataclass(frozen=True)
class Where:
    """A column in messages, and the number of its first row."""

    column: str
    first: int

    def row(self, row: int) -> str:
        """The column and one of its rows."""
        return f"{self.column}, row {self.first + row}"


def _values(column: Any) -> Any:
    """Without an extension type or a dictionary around it."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.storage_type)
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


# ------------------------------------------------------------------------------------------------
# Encoded images


def _encoded(
    column: Any, image: str, source: str, folder: Path, rows: list[str], where: Where
) -> Column:
    contents: Any = column
    paths: list[str | None] = [None] * len(column)
    if pa.types.is_struct(column.type):
        contents = _member(column, "bytes")
        paths = _texts(_member(column, "path"), where)
    origins = [f"{row} ({path})" if path else row for row, path in zip(rows, paths, strict=True)]
    return Column(_opened(contents, paths, image, source, folder, where), origins, [])


def _texts(column: Any, where: Where) -> list[str | None]:
    """Cells of text. Raises DataError naming the row of what is none."""
    if pa.types.is_null(column.type):
        return [None] * len(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise DataError(f"{where.column}: its paths are {column.type}, not text")
    texts: list[str | None] = []
    for row, cell in enumerate(pc.cast(column, pa.large_binary()).to_pylist()):
        try:
            texts.append(None if cell is None else cell.decode())
        except UnicodeDecodeError:
            raise DataError(f"{where.row(row)}: the path is not in UTF-8") from None
    return texts


def _member(column: Any, name: str) -> Any:
    kind = column.type.field(column.type.get_field_index(name)).type
    return pa.chunked_array([pc.struct_field(chunk, name) for chunk in column.chunks], kind)


def _opened(
    contents: Any, paths: list[str | None], image: str, source: str, folder: Path, where: Where
) -> Iterator[Opener]:
    for row, (content, path) in enumerate(zip(contents, paths, strict=True)):
        data = content.as_py()
        if isinstance(data, bytes):
            yield opener(where.row(row), data)
        elif data is None and path:
            ((_, read),) = Finder(folder, source, image, where.first + row).openers([path])
            yield read
        else:
            yield refusing(DataError(f"{where.row(row)}: the cell is empty"))


# ------------------------------------------------------------------------------------------------
# Lists of pixels


def pixel_lists(column: Any, where: Where) -> list[NDArray[Any]]:
    """The numbers of each row, flat. Raises DataError naming the row of an empty cell."""
    rows: list[NDArray[Any]] = []
    for chunk in column.chunks:
        for cell in chunk:
            values = cell.values
            while values is not None and _is_list(values.type):
                values = None if values.null_count else values.flatten()
            if values is None or values.null_count or not len(values):
                raise DataError(f"{where.row(len(rows))}: a value is empty")
            rows.append(values.to_numpy(zero_copy_only=False))
    return rows


def _shapes(
    table: pa.Table, arrays: list[NDArray[Any]], column: Any, where: Where
) -> Shape | list[Shape] | None:
    """What tells the shape: the column `shape`, lists within lists, or the metadata.

    A list where rows differ.
    """
    dims: list[tuple[int, ...]] | None = None
    if "shape" in table.column_names:
        dims = _shape_cells(table.column("shape"), where)
    elif _is_list(column.type.value_type):
        dims = _lengths(column, where)
    if dims is None:
        told = shape_in_metadata(table.schema.metadata, where.column)
        if len({len(array) for array in arrays}) > 1:
            raise DataError(_no_shape(where.column))
        return told
    shapes = [shape_from(each, where.row(row)) for row, each in enumerate(dims)]
    for row, (shape, array) in enumerate(zip(shapes, arrays, strict=True)):
        if shape.values != len(array):
            raise DataError(f"{where.row(row)}: {len(array)} values are not {shape}")
    return shapes[0] if len(set(shapes)) == 1 else shapes


def _no_shape(column: str) -> str:
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
        while len(chunk) and _is_list(level.type):
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


def _stacked(arrays: list[NDArray[Any]], where: Where) -> Images:
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


def _as_images(arrays: list[NDArray[Any]], shapes: list[Shape], where: Where) -> Iterator[Opener]:
    """Images of several shapes, to be brought to one."""
    for row, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        yield _of_list(shape.arranged(_stacked([array], Where(where.column, where.first + row)))[0])


def _of_list(values: Images) -> Opener:
    """What brings an image (C, H, W) to the size of others. Raises DataError on RGB of floats."""
    if len(values) == 3 and values.dtype != np.uint8:
        raise DataError(
            "lists of pixels: colour of several sizes is resized only from 0..255; bring all to "
            "one size first"
        )

    def read(size: Size) -> DecodedImage:
        image = decoded_array(values)
        return image if size is None else image.fitted(size)

    return read
