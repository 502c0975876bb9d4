"""`predictions.parquet`, read back: every decision of a run, in columns of the types it has.

Without pandas, which `gaikan pick` has no time to import.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from gaikan.errors import ConfigError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE, _NUMBERS = ("seed", "sample"), ("distance", "margin", "ok_margin", "novelty_p")
_MAY_BE_EMPTY = ("mode", "group", "novelty_p")
_AGAIN = "run `gaikan bench` on this folder again (it trains nothing anew)"


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
        raise ConfigError(f"{path}: cannot be read, it is not there; {_AGAIN}") from None
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({first_line(error)}); {_AGAIN}") from None
    for name in needed:
        if name not in names:
            raise ConfigError(f"{path}: column {name!r} is missing; {_AGAIN}")
    for name in table.column_names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: column {name!r} occurs more than once; {_AGAIN}")
    columns = {name: _checked(table.column(name), name, path) for name in table.column_names}
    return pa.table(columns)


def _checked(column: "pa.ChunkedArray", name: str, path: Path) -> "pa.ChunkedArray":
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if column.null_count and name not in _MAY_BE_EMPTY:
        raise ConfigError(f"{path}: column {name!r} has empty cells; {_AGAIN}")
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
        raise ConfigError(f"{path}: column {name!r} holds {kind}; {_AGAIN}")
    return column


def _is_text(kind: "pa.DataType") -> bool:
    """Whether a column holds text; which of the two kinds depends on who wrote it."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))
