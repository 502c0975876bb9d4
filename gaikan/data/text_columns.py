"""The columns of a table that say in words what each image is: label, failure mode, lot."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaikan.data.annotations import Annotations
from gaikan.data.arrow_columns import decoded, is_text
from gaikan.data.columns import OPTIONAL, Asked, is_pixel, label_column
from gaikan.data.frames import Names
from gaikan.data.limits import refuse_too_large
from gaikan.data.names import check_name, composed
from gaikan.errors import DataError, first_line, shown
from gaikan.language.words import Words

if TYPE_CHECKING:
    from gaikan.data.large import LargeTable

NO_LABELS = ("path", "image_id", "shape", "__index_level_0__")  # columns that say something else
_LARGEST = 2.0**53  # up to which a float tells a whole number from the next


@dataclass(frozen=True)
class TextColumns:
    """The columns that say what the images are."""

    label: str
    optional: tuple[str, ...]  # of `fmode` and `group`, those that are there
    notes: tuple[Words, ...] = ()

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
    return is_text(value) or bool(pa.types.is_integer(value))


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


def _texts(table: "pa.Table | LargeTable", name: str, source: str) -> Names:
    """A column as text, (N,); whole floats lose their '.0'. An empty `fmode` is ""."""
    column = table.column(name)
    if not _is_coded(column.type):
        column = decoded(column)
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


def _is_coded(kind: Any) -> bool:
    """Whether a column is dictionary-encoded text."""
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _coded(column: Any) -> tuple[list[str], NDArray[Any]]:
    """The texts that occur in a column, "" for no text, and which of them each row has."""
    coded = column if _is_coded(column.type) else pc.cast(column, pa.string()).dictionary_encode()
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


def _whole(column: Any, name: str, source: str) -> Any:
    """Floats as integers."""
    values = column.drop_null().to_numpy().astype(np.float64)
    whole = (np.abs(values) < _LARGEST) & (values == np.trunc(values))
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(f"{source}: column {shown(name)}, row {row}: {values[row]} is no class")
    return pc.cast(column, pa.int64())
