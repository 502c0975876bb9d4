"""Which files of a folder are images to be read: what is left out, and where links lead."""

import os
from pathlib import Path

import pytest
from layouts import counts, fill, predicted, read
from PIL import Image
from saying import in_english
from small_bundle import card
from tiny import SIDE

from gaikan.bundle.images import count, read_batches
from gaikan.data.listing import LeftOut, images_in
from gaikan.errors import DataError

# ------------------------------------------------------------------------------------------------
# What is left out


def test_what_systems_leave_in_folders_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "ok", "spur", "@eaDir", "__MACOSX/ok", ".thumbnails", "ok/@eaDir")
    (tmp_path / "ok/Thumbs.db").touch()
    (tmp_path / "ok/._000.png").write_bytes(b"no image")
    frames = read(tmp_path)
    assert counts(frames) == {"ok": 3, "spur": 3}
    assert in_english(frames.notes) == (
        "6 hidden or of a system (such as .DS_Store, @eaDir): left out",
    )
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
    assert in_english(read(tmp_path).notes) == (note,)
    left_out = LeftOut()
    batches = read_batches([tmp_path], card(shape=(1, SIDE, SIDE)), 4, left_out)
    assert sum(len(batch.names) for batch in batches) == count([tmp_path]) == 6
    assert in_english(left_out.notes()) == (note,)


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
    assert in_english(read(tmp_path).notes) == ("3 images beside the class folders left out",)


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
    (note,) = in_english(frames.notes)
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
    assert in_english(frames.notes) == ("1 link leads to what is read anyway: left out",)
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
    assert in_english(frames.notes) == ("2 links lead to what is read anyway: left out",)


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
