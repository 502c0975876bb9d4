"""Tables with columns of every type that parquet has, and what reads them."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fuzzing import NUMBERS, TEXTS
from hypothesis import strategies as st

from gaikan.data.classes import align
from gaikan.data.sources import read_source
from gaikan.evaluation.source_facts import counts, facts

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
