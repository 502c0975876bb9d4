"""Layouts of image folders as people have them: each is read, or refused with what to give."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_bundle import card
from tiny import SIDE, write_class

from gaikan.bundle.images import count, read_batches
from gaikan.data.classes import align, resolve_ok
from gaikan.data.frames import Frames
from gaikan.data.listing import LeftOut, images_in
from gaikan.data.sources import read_source
from gaikan.errors import DataError


def fill(folder: Path, *names: str, n: int = 3) -> Path:
    """`n` images into each folder of these names."""
    for place, name in enumerate(names):
        write_class(folder / name, place, n, seed=place)
    return folder


def read(folder: Path) -> Frames:
    return read_source(str(folder))


def counts(frames: Frames) -> dict[str, int]:
    return dict(zip(frames.classes, np.bincount(frames.labels).tolist(), strict=True))


def predicted(*paths: Path) -> list[str]:
    """The files that prediction reads."""
    batches = read_batches(paths, card(shape=(1, SIDE, SIDE)), 4)
    return [name for batch in batches for name in batch.names]


# ------------------------------------------------------------------------------------------------
# Lots


def test_folders_within_those_of_classes_are_lots(tmp_path: Path) -> None:
    fill(tmp_path, "ok/lot1", "ok/lot2", "spur/lot1", "spur/lot2")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 6, "spur": 6}
    assert frames.groups is not None
    assert frames.groups.tolist() == ["lot1"] * 3 + ["lot2"] * 3 + ["lot1"] * 3 + ["lot2"] * 3
    assert frames.notes == ("2 folders within those of the classes are read as lots",)


def test_images_beside_lots_are_lots_of_their_own(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "ok/lot2", "spur")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 6, "spur": 3}
    assert frames.groups is not None
    assert frames.groups[3:6].tolist() == ["lot2"] * 3
    assert len(set(frames.groups)) == 7
    assert "6 images lie in no lot's folder: each counts as a lot of its own" in frames.notes


def test_the_first_folder_below_a_class_is_the_lot_however_deep_its_images_lie(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "ok/monday/left", "ok/monday/right", "ok/tuesday/left", "spur/monday/left")
    frames = read(tmp_path)
    assert frames.groups is not None
    assert sorted(set(frames.groups)) == ["monday", "tuesday"]


def test_hive_folders_are_named_by_what_follows_the_equals_sign(tmp_path: Path) -> None:
    fill(tmp_path, "label=ok/group=7", "label=spur/group=8")
    frames = read(tmp_path)
    assert frames.classes == ("ok", "spur")
    assert frames.groups is not None
    assert sorted(set(frames.groups)) == ["7", "8"]


# ------------------------------------------------------------------------------------------------
# Parts of a split


def test_mvtec_is_read_whole_and_its_masks_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "train/good", "test/good", "test/scratch", "test/dent")
    fill(tmp_path, "ground_truth/scratch", "ground_truth/dent")
    frames = read(tmp_path)
    assert counts(frames) == {"dent": 3, "good": 6, "scratch": 3}
    assert "6 masks in ground_truth left out" in frames.notes
    assert any("train/ has good parts only" in note for note in frames.notes)
    assert sorted(predicted(tmp_path)) == sorted(frames.origin(i) for i in range(12))


@pytest.mark.parametrize(
    ("names", "give"),
    [
        (("train", "test"), "--train {}/train --test {}/test"),
        (("train", "val", "test"), "--train {}/train --test {}/test"),
        (("training", "validation"), "--train {}/training --test {}/validation"),
        (("Train", "Test"), "--train {}/Train --test {}/Test"),
    ],
)
def test_parts_of_a_split_are_refused_with_the_folders_to_give(
    tmp_path: Path, names: tuple[str, ...], give: str
) -> None:
    fill(tmp_path, *(f"{name}/{kind}" for name in names for kind in ("ok", "spur")))
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).endswith(f"give {give.format(tmp_path, tmp_path)}")
    assert "remove" not in str(caught.value)


def test_a_folder_of_several_data_sets_is_refused_with_one_to_give(tmp_path: Path) -> None:
    for kind in ("bottle", "cable"):
        fill(tmp_path / kind, "train/good", "test/good", "test/cut")
    with pytest.raises(DataError, match=rf"as a data set of its own; give {tmp_path}/bottle$"):
        read(tmp_path)


def test_classes_that_are_called_like_a_part_among_others_are_classes(tmp_path: Path) -> None:
    assert counts(read(fill(tmp_path, "test", "ok", "spur"))) == {"ok": 3, "spur": 3, "test": 3}


# ------------------------------------------------------------------------------------------------
# What is left out


def test_what_systems_leave_in_folders_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur", "@eaDir", "__MACOSX/ok", ".thumbnails", "ok/@eaDir")
    (tmp_path / "ok/Thumbs.db").touch()
    (tmp_path / "ok/._000.png").write_bytes(b"no image")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 3, "spur": 3}
    assert frames.notes == ("6 hidden or of a system (such as .DS_Store, @eaDir): left out",)
    assert predicted(tmp_path) == [frames.origin(i) for i in range(6)]


def test_webp_and_jfif_are_read(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    Image.new("L", (SIDE, SIDE), 7).save(tmp_path / "ok/a.webp", lossless=True)
    Image.new("L", (SIDE, SIDE), 7).save(tmp_path / "ok/b.jfif", format="JPEG")
    Image.new("L", (SIDE, SIDE), 7).save(tmp_path / "ok/c.JFIF", format="JPEG")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 6, "spur": 3}
    assert sorted(predicted(tmp_path)) == sorted(frames.origin(i) for i in range(9))


def test_files_of_other_endings_are_counted_by_both(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    for name in ("a.gif", "b.heic", "c.heic", "d"):
        (tmp_path / "spur" / name).touch()
    note = "4 files are no images: left out (2 .heic, 1 without ending, 1 .gif)"
    assert read(tmp_path).notes == (note,)
    left_out = LeftOut()
    batches = read_batches([tmp_path], card(shape=(1, SIDE, SIDE)), 4, left_out)
    assert sum(len(batch.names) for batch in batches) == count([tmp_path]) == 6
    assert left_out.notes() == [note]


@pytest.mark.parametrize("ending", ["heic", "dng"])
def test_a_class_of_images_that_are_not_read_is_not_said_to_be_empty(
    tmp_path: Path, ending: str
) -> None:
    fill(tmp_path, "ok", "spur")
    (tmp_path / "dent").mkdir()
    (tmp_path / f"dent/a.{ending}").touch()
    with pytest.raises(DataError, match=rf"dent: no image in it that is read \(1 \.{ending}\)"):
        read(tmp_path)


def test_images_beside_the_class_folders_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, ".", "ok", "spur")
    assert read(tmp_path).notes == ("3 images beside the class folders left out",)


def test_a_folder_of_images_alone_is_told_what_to_give(tmp_path: Path) -> None:
    fill(tmp_path, "train")
    (tmp_path / "train.csv").touch()
    with pytest.raises(DataError) as caught:
        read(tmp_path / "train")
    assert "3 images and no class folders" in str(caught.value)
    assert "a table with columns path,label (such as train.csv?)" in str(caught.value)
    assert "remove" not in str(caught.value)


# ------------------------------------------------------------------------------------------------
# Links


def test_links_that_lead_nowhere_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    for i in range(28):
        (tmp_path / f"spur/x{i:02}.png").symlink_to(f"../../elsewhere/{i}.png")
    (tmp_path / "spur/round.png").symlink_to("round.png")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 3, "spur": 3}
    (note,) = frames.notes
    assert note == f"29 links lead nowhere: left out, the first is {tmp_path}/spur/round.png"
    assert len(predicted(tmp_path)) == 6


def test_a_class_of_links_that_lead_nowhere_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    (tmp_path / "dent").mkdir()
    (tmp_path / "dent/000.png").symlink_to("gone.png")
    with pytest.raises(DataError, match=r"dent: its 1 links lead nowhere; mend them"):
        read(tmp_path)


@pytest.mark.parametrize(("link", "target"), [("latest", "ok"), ("zz", "ok"), ("ok/up", "..")])
def test_a_link_to_a_folder_within_makes_no_second_copy(
    tmp_path: Path, link: str, target: str
) -> None:
    fill(tmp_path, "ok", "spur")
    (tmp_path / link).symlink_to(target)
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 3, "spur": 3}
    assert frames.notes == ("1 link leads to what is read anyway: left out",)
    assert predicted(tmp_path) == [frames.origin(i) for i in range(6)]


def test_a_link_to_a_file_within_makes_no_second_copy(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    (tmp_path / "ok/best.png").symlink_to("000.png")
    assert counts(read(tmp_path)) == {"ok": 3, "spur": 3}


def test_links_out_of_the_folder_are_followed_each_target_once(tmp_path: Path) -> None:
    fill(tmp_path / "store", "a", "b")
    parts = fill(tmp_path / "parts", "ok")
    (parts / "spur").symlink_to(tmp_path / "store/a")
    (parts / "spur2").symlink_to(tmp_path / "store/a")
    for name in ("0.png", "1.png"):
        (parts / "ok" / name).symlink_to(tmp_path / "store/b/001.png")
    frames = read(parts)
    assert counts(frames) == {"ok": 4, "spur": 3}
    assert frames.notes == ("2 links lead to what is read anyway: left out",)


def test_links_into_a_hidden_store_within_are_followed(tmp_path: Path) -> None:
    """As git-annex and DVC keep files."""
    fill(tmp_path, ".store", "ok")
    (tmp_path / "spur").mkdir()
    for i in range(3):
        (tmp_path / f"spur/{i}.png").symlink_to(f"../.store/00{i}.png")
    assert counts(read(tmp_path)) == {"ok": 3, "spur": 3}


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur")
    os.mkfifo(tmp_path / "ok/live.png")
    assert counts(read(tmp_path)) == {"ok": 3, "spur": 3}


def test_images_are_listed_folder_by_folder_in_the_order_of_names(tmp_path: Path) -> None:
    fill(tmp_path, "b", "a/z", "a", n=2)
    found = [str(Path(p).relative_to(tmp_path)) for p in images_in(tmp_path, LeftOut())]
    assert found == [
        "a/000.png",
        "a/001.png",
        "a/z/000.png",
        "a/z/001.png",
        "b/000.png",
        "b/001.png",
    ]


# ------------------------------------------------------------------------------------------------
# Names


def test_composed_and_decomposed_names_are_one(tmp_path: Path) -> None:
    names = ("バリ", "ガ", "é")
    fill(tmp_path / "train", *(unicodedata.normalize("NFD", name) for name in names))
    fill(tmp_path / "test", *(unicodedata.normalize("NFC", name) for name in names))
    train, test = read(tmp_path / "train"), read(tmp_path / "test")
    assert train.classes == test.classes == tuple(sorted(names))
    assert align(train, test).notes == ()
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
    (note,) = read(tmp_path / "train").notes
    assert note.endswith("differ in case, width or spaces only: rename if they are one")
    assert repr(one) in note
    assert repr(other) in note


def test_a_class_of_the_test_part_that_looks_like_one_of_training_is_told(tmp_path: Path) -> None:
    train, test = fill(tmp_path / "train", "ok", "NG"), fill(tmp_path / "test", "ok", "ng")
    notes = align(read(train), read(test)).notes
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
    assert [note for note in frames.notes if "differ" in note] == [
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
    (note,) = (note for note in align(train, test).notes if "differ" in note)
    assert note.startswith(f"lots {' and '.join(map(repr, sorted([one, other])))} differ")


def test_names_that_differ_by_more_than_the_eye_misses_are_not_remarked_on(
    tmp_path: Path,
) -> None:
    frames = table(tmp_path / "parts.csv", ["", "a", "", "b"], ["lot 1", "lot1", "lot-1", "1"])
    assert not [note for note in frames.notes if "differ" in note]


def test_of_many_lots_that_look_alike_the_first_are_named_and_the_others_counted(
    tmp_path: Path,
) -> None:
    lots = [f"{letter}{i}" for i in range(9) for letter in "Aa"]
    frames = table(tmp_path / "parts.csv", ["", "bent"] * 9, lots)
    told = [note for note in frames.notes if "differ" in note]
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
