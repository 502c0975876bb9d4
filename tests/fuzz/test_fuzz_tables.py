"""Frame tables, as parquet and as CSV, with something wrong in them."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fuzzing import ODD_TEXTS, damaged, fuzz, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from odd_tables import Columns, arrays, columns, describe, parquet
from pyarrow import csv
from small_bundle import card

from gaikan.bundle.images import count, read_batches

pytestmark = pytest.mark.timeout(3600)


def text(held: Columns) -> bytes:
    """As CSV, each cell as it comes: `csv.write_csv` has no nested columns."""
    lines = [",".join(f'"{name}"' for name, _ in held)]
    lines += [",".join(f'"{cell(a, row)}"' for _, a in held) for row in range(len(held[0][1]))]
    return "\n".join(lines).encode(errors="replace")


def cell(array: pa.Array, row: int) -> str:
    try:
        return str(array[row].as_py())
    except Exception:  # no text, a moment of no place
        return ""


NAMES = (
    st.sampled_from(
        ["data0", "data4", "data00", "data99999999", "data" + "9" * 5000, "label", "fmode", "group"]
    )
    | ODD_TEXTS
)


@st.composite
def odd_columns(draw: st.DrawFn) -> Columns:
    held = columns()
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(held) - 1))
        name, array = held[place]
        match draw(st.sampled_from(["retype", "retype", "add", "drop", "twice", "rename"])):
            case "retype":
                held[place] = (name, draw(arrays()))
            case "add":
                held.append((draw(NAMES), draw(arrays())))
            case "drop" if len(held) > 1:
                del held[place]
            case "twice":
                held.insert(draw(st.integers(0, len(held))), (name, array))
            case "rename":
                held[place] = (draw(NAMES), array)
    if draw(st.integers(0, 19)) == 0:
        held = [(name, array[:0]) for name, array in held]
    return held


# ------------------------------------------------------------------------------------------------
# The tests

SIZES = st.sampled_from([None, None, (2, 2), (4, 1), (99999, 99999)])


def predict(path: Path, dtype: str) -> None:
    """What `gaikan predict` does with it before the model sees it."""
    count([path])
    for batch in read_batches([path], card(shape=(1, 2, 2), dtype=dtype), 4):
        assert batch.images.shape == (len(batch.names), 1, 2, 2)
        assert batch.images.dtype == np.dtype(dtype)


def read(path: Path, data: st.DataObject) -> None:
    size = data.draw(SIZES)
    kind = path.suffix.removeprefix(".")
    valid_or_refused(f"{kind}, to train on", lambda: describe(path, size), str(path.parent))
    dtype = data.draw(st.sampled_from(["uint8", "float32"]))
    valid_or_refused(f"{kind}, to predict", lambda: predict(path, dtype), str(path))


@fuzz(60)
@given(odd_columns(), st.data())
def test_fuzz_a_parquet_table_with_other_columns(
    tmp_path_factory: pytest.TempPathFactory, held: Columns, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.parquet"
    path.write_bytes(parquet(held, row_group_size=4))
    read(path, data)


@fuzz(30)
@given(odd_columns(), st.data())
def test_fuzz_a_csv_table_with_other_columns(
    tmp_path_factory: pytest.TempPathFactory, held: Columns, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.csv"
    path.write_bytes(text(held))
    read(path, data)


@pytest.mark.parametrize(
    "options",
    [{}, {"use_dictionary": False, "compression": "none"}, {"data_page_version": "2.0"}],
    ids=["default", "plain", "version 2"],
)
@fuzz(40)
@given(st.data())
def test_fuzz_a_damaged_parquet_table(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    path.write_bytes(data.draw(damaged(parquet(columns(), **options))))
    read(path, data)


def written() -> bytes:
    content = BytesIO()
    csv.write_csv(pa.table(dict(columns())), content)
    return content.getvalue()


@fuzz(40)
@given(damaged(written()), st.data())
def test_fuzz_a_damaged_csv_table(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    path.write_bytes(content)
    read(path, data)
