"""Names of classes, modes, lots and files: what is one name, what looks like one, what is none."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from layouts import counts, fill, read
from saying import in_english

from gaikan.data.classes import align, resolve_ok
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.errors import DataError


def test_composed_and_decomposed_names_are_one(tmp_path: Path) -> None:
    names = ("バリ", "ガ", "é")
    fill(tmp_path / "train", *(unicodedata.normalize("NFD", name) for name in names))
    fill(tmp_path / "test", *(unicodedata.normalize("NFC", name) for name in names))
    train, test = read(tmp_path / "train"), read(tmp_path / "test")
    assert train.classes == test.classes == tuple(sorted(names))
    assert in_english(align(train, test).notes) == ()
    assert resolve_ok(train, unicodedata.normalize("NFD", "バリ")) == "バリ"


def test_two_folders_of_one_name_in_two_forms_are_one_class(tmp_path: Path) -> None:
    fill(tmp_path, unicodedata.normalize("NFD", "バリ"), unicodedata.normalize("NFC", "バリ"), "ok")
    assert counts(read(tmp_path)) == {"ok": 3, "バリ": 6}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_names_in_tables_are_composed(tmp_path: Path, kind: str) -> None:
    forms = [unicodedata.normalize(form, "バリ") for form in ("NFC", "NFD")]
    columns = {"data0": [1, 2, 3], "label": [*forms, "ok"], "group": [*forms, "x"]}
    frame, path = pd.DataFrame(columns), tmp_path / f"parts.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    frames = read(path)
    assert frames.classes == ("ok", "バリ")
    assert frames.groups is not None
    assert len(set(frames.groups)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [("NG", "ng"), ("ok", "ok "), ("キズ", "ｷｽﾞ"), ("ok", "ok\u200b"), ("A 1", "\uff21\u30001")],
)
def test_names_that_look_alike_are_told(tmp_path: Path, one: str, other: str) -> None:
    fill(tmp_path / "train", one, other, "spur")
    (note,) = in_english(read(tmp_path / "train").notes)
    assert note.endswith("differ in case, width or spaces only: rename if they are one")
    assert repr(one) in note
    assert repr(other) in note


def test_a_class_of_the_test_part_that_looks_like_one_of_training_is_told(tmp_path: Path) -> None:
    train, test = fill(tmp_path / "train", "ok", "NG"), fill(tmp_path / "test", "ok", "ng")
    notes = in_english(align(read(train), read(test)).notes)
    told = "classes 'NG' and 'ng' differ in case, width or spaces only: rename if they are one"
    assert notes.count(told) == 1


def table(path: Path, modes: list[str], lots: list[str]) -> Frames:
    """Images of two classes in turn."""
    columns = {"data0": [*range(len(lots))], "label": ["ok", "ng"] * (len(lots) // 2)}
    pd.DataFrame({**columns, "fmode": modes, "group": lots}).to_csv(path, index=False)
    return read(path)


ALIKE = [("L1", "l1"), ("\uff21-1", "A-1"), ("lot 1", "lot 1 "), ("ﾛｯﾄ", "ロット"), ("a b", "a  b")]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_lots_and_failure_modes_that_look_alike_are_told(
    tmp_path: Path, one: str, other: str
) -> None:
    frames = table(tmp_path / "parts.csv", ["", one, "", other], [one, other, "x", "y"])
    names = " and ".join(map(repr, sorted([one, other])))
    about = f"{names} differ in case, width or spaces only: rename if they are one"
    assert [note for note in in_english(frames.notes) if "differ" in note] == [
        f"failure modes {about}",
        f"lots {about}",
    ]
    assert frames.groups is not None
    assert len(set(frames.groups)) == 4, "they are said, not joined"


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_lot_of_the_test_part_that_looks_like_one_of_training_is_told(
    tmp_path: Path, one: str, other: str
) -> None:
    train = table(tmp_path / "train.csv", ["", "bent"] * 2, [one, one, "x", "x"])
    test = table(tmp_path / "test.csv", ["", "bent"] * 2, [other, other, "x", "y"])
    (note,) = (note for note in in_english(align(train, test).notes) if "differ" in note)
    assert note.startswith(f"lots {' and '.join(map(repr, sorted([one, other])))} differ")


def test_names_that_differ_by_more_than_the_eye_misses_are_not_remarked_on(
    tmp_path: Path,
) -> None:
    frames = table(tmp_path / "parts.csv", ["", "a", "", "b"], ["lot 1", "lot1", "lot-1", "1"])
    assert not [note for note in in_english(frames.notes) if "differ" in note]


def test_of_many_lots_that_look_alike_the_first_are_named_and_the_others_counted(
    tmp_path: Path,
) -> None:
    lots = [f"{letter}{i}" for i in range(9) for letter in "Aa"]
    frames = table(tmp_path / "parts.csv", ["", "bent"] * 9, lots)
    told = [note for note in in_english(frames.notes) if "differ" in note]
    assert len(told) == 6
    assert told[-1] == "4 more sets of lots differ in no more than that"


def rename(path: Path, name: bytes) -> None:
    path.rename(path.with_name(os.fsdecode(name)))


BYTES = "キズ".encode("cp932")
RENAMED: dict[str, Callable[[Path], None]] = {
    "class": lambda folder: rename(folder / "spur", BYTES),
    "file": lambda folder: rename(folder / "ok/000.png", BYTES + b".png"),
    "lot": lambda folder: rename(folder / "ok/lot", BYTES),
}


@pytest.mark.parametrize("what", RENAMED)
def test_a_name_that_is_not_text_is_refused_and_escaped(tmp_path: Path, what: str) -> None:
    fill(tmp_path, "ok", "ok/lot", "spur")
    RENAMED[what](tmp_path)
    with pytest.raises(DataError, match=r"\\udc83L\\udc83Y.* is not in UTF-8") as caught:
        read(tmp_path)
    str(caught.value).encode()


def test_a_source_whose_path_is_not_text_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "parts", "ok", "spur")
    rename(tmp_path / "parts", BYTES)
    with pytest.raises(DataError, match=r"\\udc83L\\udc83Y is not in UTF-8"):
        read_source(os.fsdecode(os.fsencode(tmp_path) + b"/" + BYTES))
