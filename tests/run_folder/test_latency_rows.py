"""`latency.csv`, written, read and merged."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from gaikan.errors import DataError
from gaikan.language.words import plain, say
from gaikan.run_folder.latency_rows import Row, merge, read_rows, write_rows

ROW = Row(
    machine="pi4",
    processor="Cortex-A72, 4 cores",
    cores=4,
    variant="cnn-triplet-mean_embedding",
    computation="cnn-anchors",
    device="cpu",
    threads=1,
    runtime="onnxruntime",
    precision="int8",
    batch_size=1,
    includes_decode=False,
)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    measured = replace(ROW, queries=700, p50_ms=1 / 3, best_batch=True, machine='a "b", c')
    no_gpu = replace(ROW, threads=None, batch_size=None, skipped=say("no_cuda"))
    slow = replace(no_gpu, skipped=say("batch_too_slow", batch=8, seconds="2.0"))
    raised = replace(no_gpu, skipped=plain('{"key": "no text of ours", "values": {}}'))
    write_rows(tmp_path / "latency.csv", [measured, no_gpu, slow, raised])
    back = read_rows(tmp_path / "latency.csv")
    assert back == [replace(measured, p50_ms=0.333333), no_gpu, slow, raised]


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("p50_ms", "fast", "line 2, column 'p50_ms': 'fast' is not a finite number >= 0 or empty"),
        ("p50_ms", "nan", "'nan' is not a finite number"),
        ("p50_ms", "-1", "'-1' is not a finite number"),
        ("queries", "9" * 400, "999... is not a whole number"),
        ("cores", "", "column 'cores': '' is not a whole number"),
        ("includes_decode", "yes", "'yes' is not true or false"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, column: str, cell: str, words: str) -> None:
    path = tmp_path / "latency.csv"
    write_rows(path, [ROW])
    rows = list(csv.DictReader(path.read_text().splitlines()))
    rows[0][column] = cell
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    with pytest.raises(DataError, match=r"latency\.csv") as error:
        read_rows(path)
    assert words in str(error.value)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_what_is_no_latency_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.csv"):
        read_rows(tmp_path / "x.csv")


def test_merging_replaces_rows_of_the_same_key_and_keeps_the_others() -> None:
    here, there = replace(ROW, machine="here", p50_ms=1.0), replace(ROW, p50_ms=2.0)
    again = replace(ROW, p50_ms=3.0)
    assert merge([here, there], [again]) == [here, again]
    assert merge([here], [here]) == [here]
