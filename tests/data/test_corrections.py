"""Corrected labels: what is taken from a table, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import gaikan
from saying import in_english

from gaikan.data.corrections import corrected, read_corrections
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.errors import DataError

HEADER = "part,row,image,label,doubted,proposed,sure,validation,correct"
GOOD = "train,4,parts.parquet:4,spur,yes,open,0.9,0,open"


@pytest.fixture
def frames(tmp_path: Path) -> Frames:
    labels = np.arange(12) % 3
    table = pd.DataFrame({f"data{i}": (np.arange(12) * i) % 200 for i in range(64)}).astype("uint8")
    table["label"], table["fmode"] = labels, np.array(["ok", "spur", "open"])[labels]
    table.to_parquet(tmp_path / "parts.parquet")
    return read_source(str(tmp_path / "parts.parquet"))


def write(folder: Path, *rows: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_text("".join(f"{row}\n" for row in rows), encoding=encoding)
    return path


def test_a_label_its_mode_and_the_fingerprint_change_and_it_is_said(
    frames: Frames, tmp_path: Path
) -> None:
    confirmed = "train,0,parts.parquet:0,ok,yes,open,0.8,,ok"
    untouched = "train,1,parts.parquet:1,spur,,ok,0.7,,"
    path = write(tmp_path, HEADER, GOOD, confirmed, untouched)
    found = corrected(frames, read_corrections(path))
    assert np.flatnonzero(found.labels != frames.labels).tolist() == [4]
    assert (found.names[4], found.modes is not None and found.modes[4]) == ("open", "open")
    assert found.fingerprint != frames.fingerprint
    (note,) = set(in_english(found.notes)) - set(in_english(frames.notes))
    assert "1 labels" in note
    assert "spur to open 1" in note
    assert "1 confirmed" in note


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_spreadsheet_saves_is_read(frames: Frames, tmp_path: Path, encoding: str) -> None:
    rows = [row.replace(",", ";") for row in (HEADER, GOOD)]
    found = corrected(frames, read_corrections(write(tmp_path, *rows, encoding=encoding)))
    assert found.names[4] == "open"


def test_a_class_may_be_called_as_in_the_source(frames: Frames, tmp_path: Path) -> None:
    found = corrected(
        frames, read_corrections(write(tmp_path, HEADER, GOOD.removesuffix("open") + "2"))
    )
    assert found.names[4] == "open"


def test_a_part_is_found_by_its_image_where_rows_have_moved(frames: Frames, tmp_path: Path) -> None:
    moved = frames.take(np.arange(1, 12))  # as without the first file
    found = corrected(moved, read_corrections(write(tmp_path, HEADER, GOOD)))
    assert found.names[3] == "open"


BAD = {
    "missing column": ([HEADER.replace("label", "was"), GOOD], "'label' is missing among 'part,"),
    "no header": ([GOOD, GOOD], "put one first: part,row,image,label,correct"),
    "nothing filled in": ([HEADER, GOOD.removesuffix("open")], "empty in every row"),
    "empty": ([], "the file is empty"),
    "unknown part": ([HEADER, GOOD.replace("train", "fit")], "neither train nor test"),
    "no row": ([HEADER, GOOD.replace(",4,", ",4.5,")], "no row of a source"),
    "row out of range": ([HEADER, GOOD.replace("4,", "99,").replace(":4", ":99")], "no row 99"),
    "other image": ([HEADER, GOOD.replace("parts.", "other.")], "is the table of other data?"),
    "other label": ([HEADER, GOOD.replace(",spur", ",ok")], "is 'spur' in"),
    "unknown class": ([HEADER, GOOD.removesuffix("open") + "opne"], "no class 'opne'; classes: ok"),
    "twice": ([HEADER, GOOD, GOOD], "is corrected twice"),
    "ragged": ([HEADER, GOOD + ",1"], "cells"),
}


@pytest.mark.parametrize(("rows", "said"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused_by_name(
    frames: Frames, tmp_path: Path, rows: list[str], said: str
) -> None:
    path = write(tmp_path, *rows)
    with pytest.raises(DataError, match=said.replace("?", r"\?")) as error:
        corrected(frames, read_corrections(path))
    assert "labels.csv" in str(error.value)


@pytest.mark.parametrize(("name", "said"), [("", "is a folder"), ("none.csv", "no such file")])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DataError, match=f"{said}; corrections are a table of `gaikan labels`"):
        read_corrections(tmp_path / name)


def test_other_bytes_than_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(HEADER.encode() + b"\n" + GOOD.encode() + b"\xe9\n")
    with pytest.raises(DataError, match="save it as UTF-8"):
        read_corrections(path)


def test_a_run_with_a_bad_table_is_one_line_and_exit_code_2(
    frames: Frames, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, HEADER, GOOD.replace(",spur", ",ok"))
    config = tmp_path / "parts.toml"
    config.write_text('[data]\ntrain = "parts.parquet"\ncorrections = "labels.csv"\n')
    assert gaikan("bench", config, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "labels.csv: line 2" in said
    assert not (tmp_path / "out").exists()
