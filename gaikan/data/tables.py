"""Frame tables: one image a row, its pixels in columns `data0`..`dataN`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.annotations import Annotations, labelled
from gaikan.data.columns import (
    NOTHING,
    OPTIONAL,
    Asked,
    is_pixel,
    label_column,
    refuse_repeated,
)
from gaikan.data.frames import Frames, Images, Names
from gaikan.data.limits import refuse_too_large
from gaikan.data.names import check_name, composed
from gaikan.data.precision import refuse_lost_contrast
from gaikan.data.room import room
from gaikan.data.shapes import shape_in_metadata, shape_of
from gaikan.errors import DataError, first_line, shown

if TYPE_CHECKING:
    from gaikan.data.large import LargeTable

NO_LABELS = ("path", "image_id", "shape", "__index_level_0__")  # columns that say something else
_ROWS = 2**15  # of an Arrow table that are copied at once
_LARGEST = 2.0**53  # up to which a float tells a whole number from the next


def frames_from_table(
    table: "pa.Table | LargeTable",
    source: str,
    size: tuple[int, int] | None,
    asked: Asked = NOTHING,
    notes: Sequence[str] = (),
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


@dataclass(frozen=True)
class TextColumns:
    """The columns that say what the images are."""

    label: str
    optional: tuple[str, ...]  # of `fmode` and `group`, those that are there
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Their names."""
        return (self.label, *self.optional)


def text_columns(
    schema: pa.Schema, asked: Asked, source: str, image: str | None = None
) -> TextColumns:
    """Finds them; `image` is the column of the images, if it is one. Raises DataError."""
    with_names = [name for name in schema.names if class_label_names(schema, name)]
    plain = [
        field.name
        for field in schema
        if not is_pixel(field.name)
        and field.name not in (image, *OPTIONAL, *NO_LABELS)
        and _may_be_label(field.type)
    ]
    label, notes = label_column(schema.names, with_names or plain, asked, source)
    return TextColumns(label, tuple(n for n in OPTIONAL if n in schema.names), tuple(notes))


def _may_be_label(kind: Any) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_integer(value)
    )


def class_label_names(schema: pa.Schema, column: str) -> list[str] | None:
    """The names of a `datasets.ClassLabel`, which the schema's metadata hold."""
    try:
        held = json.loads((schema.metadata or {})[b"huggingface"])
        names = held["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return names
    return None


def read_annotations(
    table: "pa.Table | LargeTable", texts: TextColumns, source: str
) -> Annotations:
    """What the text columns say of each row. Raises DataError naming column and row."""
    return Annotations(
        labels=_labels(table, texts.label, source),
        modes=_texts(table, "fmode", source) if "fmode" in texts.optional else None,
        groups=_texts(table, "group", source) if "group" in texts.optional else None,
    )


def _labels(table: "pa.Table | LargeTable", name: str, source: str) -> Names:
    """The labels (N,), by their names where the schema has them."""
    labels = _texts(table, name, source)
    names = class_label_names(table.schema, name)
    if names is None or not pa.types.is_integer(table.schema.field(name).type):
        return labels
    keys, place = np.unique(labels, return_inverse=True)
    known = {str(i): i for i in range(len(names))}
    index = np.asarray([known.get(key, -1) for key in keys.tolist()])[place]
    wrong = index < 0
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{source}: column {shown(name)}, row {row}: {labels[row]} is none of the {len(names)} "
            "classes that the schema names; leave such rows out"
        )
    for each in names:
        check_name(each, f"{source}: column {shown(name)}")
    named: Names = np.asarray([composed(each) for each in names], np.str_)[index]
    return named


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


def _texts(table: "pa.Table | LargeTable", name: str, source: str) -> Names:
    """A column as text, (N,); whole floats lose their '.0'. An empty `fmode` is ""."""
    column = table.column(name)
    if not _is_text(column.type):
        column = _decoded(column)
    if column.null_count and name != "fmode":
        row = pc.index(pc.is_null(column), True).as_py()
        raise DataError(f"{source}: column {shown(name)}, row {row}: the cell is empty")
    if pa.types.is_nested(column.type):
        raise DataError(f"{source}: column {shown(name)} holds {column.type}, not one value a row")
    if pa.types.is_floating(column.type):
        column = _whole(column, name, source)
    try:
        texts, index = _coded(column)
    except (pa.ArrowException, ValueError) as error:
        reason = first_line(error)
        raise DataError(
            f"{source}: column {shown(name)} cannot be read as text ({reason})"
        ) from None
    longest = max(texts, key=len)
    check_name(longest, f"{source}: column {shown(name)}")
    refuse_too_large(source, len(index), "characters", len(longest), 4)
    named: Names = np.asarray(texts, np.str_)[index]
    return named


def _is_text(kind: Any) -> bool:
    """Whether a column is dictionary-encoded text."""
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _coded(column: Any) -> tuple[list[str], NDArray[Any]]:
    """The texts that occur in a column, "" for no text, and which of them each row has."""
    coded = column if _is_text(column.type) else pc.cast(column, pa.string()).dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    whole.validate(full=True)  # a damaged file's indices may lead anywhere
    texts = whole.dictionary.to_pylist()
    if None in texts:
        raise ValueError("a cell is empty")
    index = whole.indices
    if index.null_count:
        index = pc.fill_null(pc.cast(index, pa.int64()), len(texts))
        texts.append("")
    return list(map(composed, texts)), index.to_numpy()


def _decoded(column: Any) -> Any:
    """A dictionary-encoded column as its values."""
    if pa.types.is_dictionary(column.type):
        return pc.cast(column, column.type.value_type)
    return column


def _whole(column: Any, name: str, source: str) -> Any:
    """Floats as integers."""
    values = column.drop_null().to_numpy().astype(np.float64)
    whole = (np.abs(values) < _LARGEST) & (values == np.trunc(values))
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(f"{source}: column {shown(name)}, row {row}: {values[row]} is no class")
    return pc.cast(column, pa.int64())


def read_pixels(table: pa.Table, names: list[str], source: str) -> Images:
    """(N, pixels), uint8 where all are integers in 0..255, else float32."""
    dtype = np.uint8 if is_compact(table, names) else np.float32
    images = room((table.num_rows, len(names)), dtype)
    for start in range(0, table.num_rows, _ROWS):
        rows = table.slice(start, _ROWS)
        images[start : start + _ROWS] = pixels_as(dtype, rows, names, source, start)
    refuse_lost_contrast(images, numbers_of(table, names), source)
    return images


def numbers_of(table: Any, names: list[str]) -> Iterator[NDArray[Any]]:
    """The numbers of each column as the table has them."""
    for name in names:
        yield _decoded(table.column(name)).to_numpy(zero_copy_only=False)


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
