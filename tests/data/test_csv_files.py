"""CSV files of spreadsheets: encodings, separators, decimal commas, headers, labels as written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from saying import in_english

from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.errors import DataError

ROWS = 6


def parts(names: tuple[str, ...] = ("良品", "キズ", "打痕")) -> pd.DataFrame:
    """Six images of 2 x 2 values."""
    frame = pd.DataFrame({f"data{i}": np.arange(ROWS) * 9 + i + 5 for i in range(4)})
    frame["label"] = [names[i % len(names)] for i in range(ROWS)]
    return frame


def read(folder: Path, content: bytes | str) -> Frames:
    path = folder / "parts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_source(str(path))


def text(frame: pd.DataFrame, **options: object) -> str:
    return str(frame.to_csv(index=False, **options))  # type: ignore[call-overload]


PLAIN = text(parts())


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "parts.csv is read as utf-16"),
        ("cp932", "parts.csv is read as cp932"),
    ],
)
def test_an_encoding_that_is_certain_is_read(
    tmp_path: Path, encoding: str, note: str | None
) -> None:
    frames, plain = read(tmp_path, PLAIN.encode(encoding)), read(tmp_path, PLAIN)
    assert frames.fingerprint == plain.fingerprint
    assert frames.classes == ("キズ", "打痕", "良品")
    assert set(in_english(frames.notes)) - set(in_english(plain.notes)) == (
        {note} if note else set()
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_an_encoding_without_its_mark_is_refused_by_its_name(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(DataError, match=r"UTF-16 or UTF-32 without the mark.*save it as UTF-8"):
        read(tmp_path, PLAIN.encode(encoding))


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "euc_jp"])
@pytest.mark.parametrize("name", ["Größe", "Gräte", "é"])
def test_an_encoding_that_is_not_certain_is_refused(
    tmp_path: Path, encoding: str, name: str
) -> None:
    """`Grä` of Western text is a valid kanji of cp932."""
    content = text(parts((name, "ok"))).encode(encoding, errors="replace")
    if encoding == "euc_jp":
        content = PLAIN.encode(encoding)
    with pytest.raises(DataError, match=r"parts\.csv: not a readable CSV file.*save it as UTF-8"):
        read(tmp_path, content)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_read_and_said(tmp_path: Path, separator: str) -> None:
    frames = read(tmp_path, text(parts(), sep=separator))
    assert frames.fingerprint == read(tmp_path, PLAIN).fingerprint
    said = "a tab" if separator == "\t" else f"'{separator}'"
    assert f"parts.csv is separated by {said}" in in_english(frames.notes)


def test_a_name_with_a_semicolon_does_not_make_one_the_separator(tmp_path: Path) -> None:
    assert read(tmp_path, text(parts(("a;b;c;d;e;f;g", "x")))).classes == ("a;b;c;d;e;f;g", "x")


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_decimal_commas_are_read_and_said(tmp_path: Path, separator: str) -> None:
    frame = parts()
    halves = pd.concat([frame.iloc[:, :4] + 0.5, frame["label"]], axis=1)
    frames = read(tmp_path, text(halves, sep=separator, decimal=","))
    assert frames.fingerprint == read(tmp_path, text(halves)).fingerprint
    assert "parts.csv has decimal commas" in in_english(frames.notes)


def test_commas_that_may_part_thousands_are_refused(tmp_path: Path) -> None:
    content = "data0;data1;data2;data3;label\n" + "1,024;2,048;3;4;a\n" * 3
    with pytest.raises(DataError, match=r"a comma in '1,024' may part thousands or decimals"):
        read(tmp_path, content)


@pytest.mark.parametrize("first", [True, False])
def test_without_a_header_the_only_text_is_the_label(tmp_path: Path, first: bool) -> None:
    frame = parts()
    if first:
        frame = frame[["label", *frame.columns[:4]]]
    frames = read(tmp_path, text(frame, header=False))
    assert frames.fingerprint == read(tmp_path, PLAIN).fingerprint
    assert any("no header line" in note for note in in_english(frames.notes))


@pytest.mark.parametrize(
    "content",
    [
        "1,2,3,4,0\n5,6,7,8,1\n",  # which is the label?
        "1,2,3,4,ok,lot\n",
        "0,1,2,3,kind\n9,9,9,9,ok\n",  # a header of pandas: columns by number
        "1,2,ok,3,4\n",
    ],
)
def test_without_a_header_that_is_certain_one_is_asked_for(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"parts\.csv: has no header line .*; put one first: data0"):
        read(tmp_path, content)


def test_a_ragged_line_is_named(tmp_path: Path) -> None:
    lines = PLAIN.splitlines()
    lines[3] += ",9"
    with pytest.raises(DataError, match=r"line 4 has 6 cells, the first 5; mend that line"):
        read(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("01", "1", "10"), ("01", "1", "10")),
        (("1E1", "10", "2E1"), ("10", "1E1", "2E1")),
        (("NA", "null", "dent"), ("NA", "dent", "null")),
        (("nan", "None", "N/A"), ("N/A", "None", "nan")),
        (("True", "true", "1"), ("1", "True", "true")),
        (("1.0", "1", "+1"), ("+1", "1", "1.0")),
        (("2024-01-02", "10:30", "1/2"), ("1/2", "10:30", "2024-01-02")),
        (("10", "9", "-1"), ("-1", "9", "10")),
    ],
)
def test_labels_are_as_they_are_written(
    tmp_path: Path, names: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    frames = read(tmp_path, text(parts(names)))
    assert frames.classes == frames.keys == classes
    assert frames.names.tolist() == [names[i % 3] for i in range(ROWS)]


def test_only_an_empty_cell_is_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column 'label', row 1: the cell is empty"):
        read(tmp_path, text(parts(("NA", "", "null"))))


def with_modes(kinds: dict[str, str]) -> pd.DataFrame:
    frame = parts(tuple(kinds))
    frame["fmode"] = frame["label"].map(kinds)
    return frame


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "parquet": lambda frame, path: frame.replace("", None).to_parquet(path),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_class_without_failure_modes_is_its_own(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"parts.{kind}"
    WRITERS[kind](with_modes({"ok": "", "ng": "burr"}), path)
    frames = read_source(str(path))
    assert frames.modes is not None
    assert set(zip(frames.names.tolist(), frames.modes.tolist(), strict=True)) == {
        ("ok", "ok"),
        ("burr", "burr"),
    }
    assert "class 'ok' has no failure modes: its own name stands there" in in_english(frames.notes)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_class_with_failure_modes_for_some_parts_is_refused(tmp_path: Path, kind: str) -> None:
    frame = with_modes({"ok": "", "ng": "burr"})
    frame.loc[3, "fmode"] = ""
    path = tmp_path / f"parts.{kind}"
    WRITERS[kind](frame, path)
    with pytest.raises(DataError, match=r"column 'fmode', row 3: .* row 1 of the same class 'ng'"):
        read_source(str(path))
