"""Frame tables: one image a row, its pixels in columns `data0`..`dataN`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from gaikan.data.annotations import labelled
from gaikan.data.columns import NOTHING, Asked, refuse_repeated
from gaikan.data.frames import Frames
from gaikan.data.pixel_columns import pixel_columns, read_pixels
from gaikan.data.shapes import shape_in_metadata, shape_of
from gaikan.data.text_columns import read_annotations, text_columns
from gaikan.errors import DataError
from gaikan.language.words import Words

if TYPE_CHECKING:
    from gaikan.data.large import LargeTable


def frames_from_table(
    table: "pa.Table | LargeTable",
    source: str,
    size: tuple[int, int] | None,
    asked: Asked = NOTHING,
    notes: Sequence[Words] = (),
) -> Frames:
    """The images of an Arrow table or a large file, read column by column.

    `size` is (height, width); without it the metadata's `shape` counts, 1404 pixels are 36 x 39
    and a square number is a square, if nothing else is likely. Pixels stay uint8 where all are
    integers in 0..255, else they become float32. Raises DataError naming column and row.
    """
    if table.num_rows == 0:
        raise DataError(f"{source}: the table has no rows")
    refuse_repeated(table.column_names, source)
    pixels = pixel_columns(table.column_names, source)
    told = shape_in_metadata(table.schema.metadata, source)
    shape, shape_notes = shape_of(len(pixels), size, told, source)
    texts = text_columns(table.schema, asked, source)
    annotations = read_annotations(table, texts, source)
    read = read_pixels if isinstance(table, pa.Table) else type(table).pixels
    images = shape.arranged(read(table, pixels, source))
    return labelled(images, annotations, source, [*notes, *texts.notes, *shape_notes])
