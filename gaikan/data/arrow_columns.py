"""What an Arrow column holds, however it is encoded."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def decoded(column: Any) -> Any:
    """A dictionary-encoded column as its values."""
    if pa.types.is_dictionary(column.type):
        return pc.cast(column, column.type.value_type)
    return column


def is_text(kind: Any) -> bool:
    """Whether a column holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_list(kind: Any) -> bool:
    """Whether a column holds lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
