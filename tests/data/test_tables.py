"""Frame tables, good and bad."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from small_bundle import card

from gaikan.bundle.images import read_batches
from gaikan.data.sources import read_source
from gaikan.data.tables import frames_from_table
from gaikan.errors import DataError

Columns = dict[str, Any]


def columns(pixels: int = 4, rows: int = 6) -> Columns:
    data: Columns = {f"data{i}": np.arange(rows, dtype=np.uint8) + i % 200 for i in range(pixels)}
    data["label"] = np.arange(rows) % 2 * 5
    data["fmode"] = np.where(np.arange(rows) % 2, "spur", "ok")
    return data


def test_bytes_stay_bytes_and_rows_stay_rows() -> None:
    frames = frames_from_table(pa.table(columns()), "made", None)
    assert frames.images.dtype == np.uint8
    assert frames.images[2].tolist() == [[[2, 3], [4, 5]]]


def test_label_gaps_and_modes_become_classes() -> None:
    frames = frames_from_table(pa.table(columns()), "made", None)
    assert (frames.classes, frames.keys) == (("ok", "spur"), ("0", "5"))
    assert frames.labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_floats_become_float32() -> None:
    data = columns() | {"data0": np.linspace(-1, 1, 6)}
    assert frames_from_table(pa.table(data), "made", None).images.dtype == np.float32


def test_1404_columns_are_36_by_39() -> None:
    assert frames_from_table(pa.table(columns(1404)), "made", None).shape == (1, 36, 39)


def test_csv_equals_parquet(tmp_path: Path) -> None:
    table = pa.table(columns())
    pq.write_table(table, tmp_path / "a.parquet")
    csv.write_csv(table, tmp_path / "a.csv")
    one, two = (read_source(str(tmp_path / name)) for name in ("a.parquet", "a.csv"))
    assert one.fingerprint == two.fingerprint


BAD: dict[str, tuple[Callable[[Columns], Any], str]] = {
    "label": (lambda d: d.pop("label"), "column 'label' is missing"),
    "pixel": (lambda d: d.pop("data2"), "column 'data2' is missing"),
    "nan": (lambda d: d.update(data1=[1.0, np.nan, 1, 1, 1, 1]), "column 'data1', row 1: nan"),
    "inf": (lambda d: d.update(data3=[1.0, 1, 1, np.inf, 1, 1]), "column 'data3', row 3: inf"),
    "null": (lambda d: d.update(data0=[1, 1, None, 1, 1, 1]), "column 'data0', row 2: the cell"),
    "text": (lambda d: d.update(data0=["1", "x", "1", "1", "1", "1"]), "row 1: 'x' is not a num"),
    "shape": (lambda d: d.pop("data3"), "3 pixel columns are neither 36 x 39 nor a square"),
    "class": (lambda d: d.update(label=[0.5] * 6), "column 'label', row 0: 0.5 is no class"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_told_in_one_line(name: str) -> None:
    data = columns()
    BAD[name][0](data)
    with pytest.raises(DataError) as caught:
        frames_from_table(pa.table(data), "bad.parquet", None)
    assert str(caught.value).startswith("bad.parquet: ")
    assert BAD[name][1] in str(caught.value)
    assert "\n" not in str(caught.value)


def bytes_column() -> pa.Array:
    return pa.array([b"\xff\xfe", b"ok"] * 3)


def beyond() -> pa.Array:
    """Dictionary-encoded texts, one index past the last."""
    return pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 0, 1, 0, 2]), pa.array(["ok", "spur"]), safe=False
    )


# What fuzzing found: another exception, or no end of memory.
FOUND: dict[str, tuple[Callable[[Columns], Any], str]] = {
    "no end of columns": (lambda d: d.update(data99999999=[0] * 6), "column 'data4' is missing"),
    "a label beyond integers": (lambda d: d.update(label=[1e30] * 6), "row 0: 1e+30 is no class"),
    "half labels": (lambda d: d.update(label=np.full(6, np.inf, np.float16)), "inf is no class"),
    "labels of digits": (lambda d: d.update(label=["\u0661", "9" * 5000] * 3), "5000 characters"),
    "bytes": (lambda d: d.update(label=bytes_column()), "'label' cannot be read as text"),
    "no text": (
        lambda d: d.update(fmode=bytes_column().view(pa.string())),
        "'fmode' cannot be read as text",
    ),
    "coded bytes": (
        lambda d: d.update(group=bytes_column().dictionary_encode()),
        "'group' cannot be read as text",
    ),
    "an index beyond": (lambda d: d.update(label=beyond()), "'label' cannot be read as text"),
    "a coded pixel": (lambda d: d.update(data0=bytes_column()), "'data0' holds binary, not numb"),
    "a pixel of no place": (
        lambda d: d.update(data1=pa.array([2**62] * 6).view(pa.timestamp("us", "No/Where"))),
        "'data1' holds timestamp[us, tz=No/Where], not numbers",
    ),
    "a pixel of no text": (
        lambda d: d.update(data2=bytes_column().view(pa.string())),
        "column 'data2', row 0: '\ufffd\ufffd' is not a number",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_an_odd_column_is_refused(name: str) -> None:
    data = columns()
    FOUND[name][0](data)
    with pytest.raises(DataError) as caught:
        frames_from_table(pa.table(data), "bad.parquet", None)
    assert FOUND[name][1] in str(caught.value)


def test_columns_that_a_frame_table_has_not_are_not_read(tmp_path: Path) -> None:
    """However large they are, and whatever they hold."""
    data = columns() | {"notes": bytes_column().view(pa.string()), "data": [{"a": [1]}] * 6}
    data["data" + "9" * 5000] = [0] * 6  # no number of a pixel
    pq.write_table(pa.table(data), tmp_path / "more.parquet")
    pq.write_table(pa.table(columns()), tmp_path / "plain.parquet")
    one, other = (read_source(str(tmp_path / f"{name}.parquet")) for name in ("more", "plain"))
    assert one.fingerprint == other.fingerprint


def test_a_column_twice_is_refused_by_prediction_too(tmp_path: Path) -> None:
    data = [*columns().items(), ("data1", [0] * 6)]
    table = pa.Table.from_arrays([pa.array(v) for _, v in data], [name for name, _ in data])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match=r"column 'data1' occurs more than once"):
        list(read_batches([tmp_path / "twice.parquet"], card(shape=(1, 2, 2)), 4))
    with pytest.raises(DataError, match=r"column 'data1' occurs more than once"):
        read_source(str(tmp_path / "twice.parquet"))


def test_a_header_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(b"data0,\xff\xfe,label\n1,2,3\n")
    with pytest.raises(DataError, match=r"odd\.csv: not a readable CSV file"):
        read_source(str(tmp_path / "odd.csv"))


def test_no_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="no rows"):
        frames_from_table(pa.table(columns(rows=0)), "made", None)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "no such file"), (b"", "empty"), (b"PAR?", "not a readable")]
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "x.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.parquet: .*{words}"):
        read_source(str(path))
