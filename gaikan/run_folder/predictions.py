"""Decisions of a run on parts, read back from parquet, in columns of the types they have.

Without pandas, which `gaikan pick` has no time to import.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import ConfigError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE, _NUMBERS = ("seed", "sample"), ("distance", "margin", "ok_margin", "novelty_p")
_MAY_BE_EMPTY = ("mode", "group", "novelty_p")
AGAIN = "run `gaikan bench` on this folder again (it trains nothing anew)"


def read_predictions(path: Path, needed: tuple[str, ...], optional: tuple[str, ...]) -> "pa.Table":
    """The `needed` columns, and those of `optional` that are there; texts are dictionary-encoded.

    Raises ConfigError naming file and column where one is missing, empty or of another type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            table = file.read([name for name in (*needed, *optional) if name in names])
        table.validate(full=True)
    except FileNotFoundError:
        raise ConfigError(f"{path}: cannot be read, it is not there; {AGAIN}") from None
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({first_line(error)}); {AGAIN}") from None
    for name in needed:
        if name not in names:
            raise ConfigError(f"{path}: column {name!r} is missing; {AGAIN}")
    for name in table.column_names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: column {name!r} occurs more than once; {AGAIN}")
    columns = {name: _checked(table.column(name), name, path) for name in table.column_names}
    return pa.table(columns)


def _checked(column: "pa.ChunkedArray", name: str, path: Path) -> "pa.ChunkedArray":
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if column.null_count and name not in _MAY_BE_EMPTY:
        raise ConfigError(f"{path}: column {name!r} has empty cells; {AGAIN}")
    if name in _WHOLE:
        good = types.is_integer(kind) and kind != pa.uint64()  # NumPy's own integers are signed
    elif name in _NUMBERS:
        good = types.is_floating(kind) and kind.bit_width >= 32
    else:
        if _is_text(kind):
            column = column.dictionary_encode()
        good = types.is_dictionary(column.type) and _is_text(column.type.value_type)
        if good:
            column = column.unify_dictionaries()
            good = None not in column.combine_chunks().dictionary.to_pylist()
    if not good:
        raise ConfigError(f"{path}: column {name!r} holds {kind}; {AGAIN}")
    return column


def _is_text(kind: "pa.DataType") -> bool:
    """Whether a column holds text; which of the two kinds depends on who wrote it."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def text_column(table: "pa.Table", name: str) -> tuple[NDArray[np.int64], list[str]]:
    """A text column (N,) as indices into its names; -1 is none."""
    array = table.column(name).combine_chunks()
    return _numbers(array.indices).astype(np.int64), array.dictionary.to_pylist()


def whole_numbers(table: "pa.Table", name: str) -> NDArray[np.int64]:
    """A column (N,) of whole numbers."""
    return _numbers(table.column(name).combine_chunks()).astype(np.int64)


def floats(table: "pa.Table", name: str) -> NDArray[np.float64]:
    """A column (N,) of figures; -1 is none."""
    return _numbers(table.column(name).combine_chunks()).astype(np.float64)


def _numbers(array: "pa.Array") -> NDArray[np.number | np.bool]:
    """The values, -1 for none, which no column has for a value.

    Without pyarrow's own conversions, which would import pandas.
    """
    import pyarrow as pa

    validity, held = array.buffers()
    if not array.null_count:
        return np.from_dlpack(array)
    whole = pa.Array.from_buffers(array.type, len(array), [None, held], offset=array.offset)
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    valid = bits[array.offset : array.offset + len(array)]
    values = np.from_dlpack(whole)
    values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
    values[valid == 0] = -1
    return values
