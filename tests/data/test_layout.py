"""Layouts of image folders as people have them: each is read, or refused with what to give."""

from pathlib import Path

import pytest
from layouts import counts, fill, predicted, read
from saying import in_english

from gaikan.errors import DataError

# ------------------------------------------------------------------------------------------------
# Lots


def test_folders_within_those_of_classes_are_lots(tmp_path: Path) -> None:
    fill(tmp_path, "ok/lot1", "ok/lot2", "spur/lot1", "spur/lot2")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 6, "spur": 6}
    assert frames.groups is not None
    assert frames.groups.tolist() == ["lot1"] * 3 + ["lot2"] * 3 + ["lot1"] * 3 + ["lot2"] * 3
    assert in_english(frames.notes) == ("2 folders within those of the classes are read as lots",)


def test_where_some_images_have_no_lot_there_are_none(tmp_path: Path) -> None:
    """Single images would be counted as the lots that a promise takes."""
    fill(tmp_path, "ok", "ok/lot2", "spur")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 6, "spur": 3}
    assert frames.groups is None
    (note,) = in_english(frames.notes)
    assert note.startswith("6 of 9 images lie in no lot's folder, so lots are left out of account")


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
    assert "6 masks in ground_truth left out" in in_english(frames.notes)
    assert any("train/ has good parts only" in note for note in in_english(frames.notes))
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
