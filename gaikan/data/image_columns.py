"""Tables that hold images in a column: encoded (`datasets.Image`), lists of pixels, or paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gaikan.data.annotations import labelled
from gaikan.data.arrow_columns import decoded, is_text
from gaikan.data.columns import Asked, Where, named, only_image_column, refuse_repeated
from gaikan.data.encoded_images import encoded_images, is_encoded, path_texts
from gaikan.data.folders import frames_of_images
from gaikan.data.frames import Frames, Images
from gaikan.data.image_files import Opener
from gaikan.data.limits import refuse_too_large
from gaikan.data.path_tables import PATHS, Finder
from gaikan.data.pixel_lists import (
    as_images,
    is_pixel_list,
    no_shape,
    of_list,
    pixel_lists,
    shapes_of_lists,
    stacked,
)
from gaikan.data.shapes import shape_of
from gaikan.data.text_columns import TextColumns, read_annotations
from gaikan.errors import DataError, shown
from gaikan.language.words import Words

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
    notes: Sequence[Words] = (),
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
            raise DataError(no_shape(f"{source}: column {shown(image)}"))
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
            images = map(of_list, images)
        yield from zip(column.origins, images, strict=True)


@dataclass(frozen=True)
class Column:
    """Images (N, C, H, W), or one by one where they may be of several sizes or modes."""

    images: Images | Iterable[Opener]
    origins: list[str]
    notes: list[Words]
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
        openers, paths = encoded_images(column, image, source, folder, where)
        named_rows = zip(rows, paths, strict=True)
        return Column(openers, [f"{row} ({path})" if path else row for row, path in named_rows], [])
    if is_pixel_list(column.type):
        arrays = pixel_lists(column, where)
        shapes = shapes_of_lists(table, arrays, column, where)
        if isinstance(shapes, list):
            return Column(as_images(arrays, shapes, where), rows, [])
        shape, notes = shape_of(len(arrays[0]), size, shapes, where.column)
        is_told = shapes is not None or size is not None
        return Column(shape.arranged(stacked(arrays, where)), rows, notes, is_told)
    if is_text(column.type):
        finder = Finder(folder, source, image, first_row)
        cells = path_texts(column, where)
        if strict:
            finder.all(cells)
        found = list(finder.openers(cells))
        return Column([read for _, read in found], [name for name, _ in found], [])
    raise DataError(
        f"{where.column} holds {column.type}, no images; name another with --image-column"
    )


def _values(column: Any) -> Any:
    """Without an extension type or a dictionary around it."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return pa.chunked_array(chunks, column.type.storage_type)
    return decoded(column)
