"""Frame tables, as parquet and as CSV, with something wrong in them."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzing import NUMBERS, ODD_TEXTS, TEXTS, damaged, fuzz, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv
from small_bundle import card

from gaikan.bundle.images import count, read_batches
from gaikan.data.classes import align
from gaikan.data.sources import read_source
from gaikan.evaluation.source_facts import counts, facts

pytestmark = pytest.mark.timeout(3600)
ROWS = 6
Columns = list[tuple[str, pa.Array]]


def columns() -> Columns:
    pixels = [(f"data{i}", pa.array(np.arange(ROWS, dtype=np.uint8) * 40 + i)) for i in range(4)]
    labels = pa.array([0, 1] * 3)
    modes, lots = pa.array(["ok", "spur"] * 3), pa.array(["a", "a", "b", "b", "c", "c"])
    return [*pixels, ("label", labels), ("fmode", modes), ("group", lots)]


def parquet(held: Columns, **options: Any) -> bytes:
    table = pa.Table.from_arrays([array for _, array in held], [name for name, _ in held])
    content = BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


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


# ------------------------------------------------------------------------------------------------
# Columns of every type that parquet has

TYPES: dict[str, Callable[[], pa.Array]] = {
    **{f"int{n}": partial(pa.array, [0, 1, 2, 3, 4, 5], f"int{n}") for n in (8, 16, 32, 64)},
    **{f"uint{n}": partial(pa.array, [0, 1, 2, 3, 4, 255], f"uint{n}") for n in (16, 32, 64)},
    "largest": lambda: pa.array([2**64 - 1] * ROWS, pa.uint64()),
    "least": lambda: pa.array([-(2**63), 2**63 - 1] * 3),
    "half": lambda: pa.array(np.arange(ROWS, dtype=np.float16)),
    "float": lambda: pa.array([0.0, 0.5, -1, 1e30, 2, 3], pa.float32()),
    "double": lambda: pa.array([0.0, 1.0, 2, 1e308, -1e308, 3]),
    "whole": lambda: pa.array([0.0, 1.0] * 3),
    "not finite": lambda: pa.array([0.0, float("nan"), float("inf"), -float("inf"), 1, 1]),
    "huge whole": lambda: pa.array([1e30, 1.0] * 3),
    "decimal": lambda: pa.array([Decimal("1.5"), Decimal(2)] * 3),
    "bool": lambda: pa.array([True, False] * 3),
    "null": lambda: pa.nulls(ROWS),
    "text": lambda: pa.array(["1", "2"] * 3),
    "large text": lambda: pa.array(["1", "x"] * 3, pa.large_string()),
    "bytes": lambda: pa.array([b"\xff\xfe", b""] * 3),
    "large bytes": lambda: pa.array([b"\xff\xfe", b"1"] * 3, pa.large_binary()),
    "fixed bytes": lambda: pa.array([b"\xff\xfe", b"12"] * 3, pa.binary(2)),
    "no text": lambda: pa.array([b"\xff\xfe", b"ok"] * 3).view(pa.string()),
    "date": lambda: pa.array([0, 1] * 3, pa.int32()).view(pa.date32()),
    "moment": lambda: pa.array([0, 2**62] * 3).view(pa.timestamp("ns", "UTC")),
    "moment of no place": lambda: pa.array([0, 2**62] * 3).view(pa.timestamp("us", "No/Where")),
    "time": lambda: pa.array([0, 1] * 3).view(pa.time64("us")),
    "duration": lambda: pa.array([0, 2**62] * 3).view(pa.duration("s")),
    "list": lambda: pa.array([[1], []] * 3),
    "fixed list": lambda: pa.array([[1, 2], [3, 4]] * 3, pa.list_(pa.int8(), 2)),
    "struct": lambda: pa.array([{"a": 1}, {"a": None}] * 3),
    "map": lambda: pa.array([[("a", 1)], []] * 3, pa.map_(pa.string(), pa.int8())),
    "dictionary": lambda: pa.array(["ok", "spur"] * 3).dictionary_encode(),
    "dictionary of bytes": lambda: pa.array([b"\xff", b"a"] * 3).dictionary_encode(),
    "dictionary of numbers": lambda: pa.array([1, 2] * 3).dictionary_encode(),
    "dictionary of floats": lambda: pa.array([1.5, float("nan")] * 3).dictionary_encode(),
}


@cache
def made(name: str) -> pa.Array:
    return TYPES[name]()


@st.composite
def arrays(draw: st.DrawFn) -> pa.Array:
    """A column of one of the types, perhaps with an empty cell; or of drawn texts or numbers."""
    kind = draw(st.sampled_from([*TYPES, "texts", "floats"]))
    if kind == "texts":
        texts = draw(st.lists(TEXTS, min_size=ROWS, max_size=ROWS))
        return pa.array([t.encode(errors="replace").decode() for t in texts])
    if kind == "floats":
        return pa.array(draw(st.lists(NUMBERS.map(_as_float), min_size=ROWS, max_size=ROWS)))
    array = made(kind)
    if draw(st.booleans()):
        array = array.take(pa.array([0, 1, None, 3, 4, 5]))
    return array


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")


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


def describe(path: Path, size: tuple[int, int] | None) -> None:
    """What `gaikan data` does, and what a run does with a test source."""
    frames = read_source(str(path), "test", size)
    assert frames.images.dtype in (np.uint8, np.float32)
    assert np.isfinite(frames.images).all()
    assert len(frames.images) == len(frames) == len(frames.rows) > 0
    assert len(set(frames.classes)) == len(frames.classes) == len(frames.keys)
    assert set(frames.labels.tolist()) == set(range(len(frames.classes)))
    for column in (frames.modes, frames.groups):
        assert column is None or len(column) == len(frames)
    assert facts(frames)
    assert counts(frames)
    good = path.with_name("good.parquet")
    if not good.exists():
        good.write_bytes(parquet(columns()))
    align(read_source(str(good)), frames)


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
