"""Tables of paths, as a line's own database exports them, and Kaggle's `image_id`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from runner import bench
from saying import in_english
from small_bundle import card
from tiny import SIDE, write_class

from gaikan.bundle.images import count, read_batches
from gaikan.data.columns import Asked
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)

SHARED = Path(__file__).parents[3] / "shared/data/tiles"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`pictures/0/000.png` ... `pictures/1/005.png`; the first number is the class."""
    for place in (0, 1):
        write_class(tmp_path / f"pictures/{place}", place * 5, 6, seed=0)
    return tmp_path


def table(folder: Path, **columns: list[str]) -> Path:
    paths = [f"pictures/{place}/{i:03}.png" for place in (0, 1) for i in range(6)]
    labels = ["ok"] * 6 + ["spur"] * 6
    frame = pd.DataFrame({"path": paths, "label": labels} | columns)
    frame.to_csv(folder / "parts.csv", index=False)
    return folder / "parts.csv"


def read(path: Path, asked: Asked | None = None) -> Frames:
    return read_source(str(path), asked=asked or Asked())


def test_paths_are_relative_to_the_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lots = [f"lot-{i % 3}" for i in range(12)]
    path = table(folder, group=lots, fmode=[""] * 6 + ["burr"] * 6)
    monkeypatch.chdir("/")
    frames = read(path)
    assert frames.images.shape == (12, 1, SIDE, SIDE)
    last = np.asarray(Image.open(folder / "pictures/1/005.png"))
    assert (frames.images[11, 0] == last).all()
    assert frames.labels.tolist() == [0] * 6 + [1] * 6
    assert frames.classes == ("ok", "burr")
    assert frames.groups is not None
    assert frames.groups.tolist() == lots
    assert frames.origin(7) == str(folder / "pictures/1/001.png")
    assert frames.take(np.array([11])).origin(0) == str(folder / "pictures/1/005.png")


def test_a_parquet_of_paths_holds_what_the_csv_does(folder: Path) -> None:
    path = table(folder, group=[f"lot-{i % 3}" for i in range(12)])
    pd.read_csv(path).to_parquet(folder / "parts.parquet")
    one, other = read(path), read(folder / "parts.parquet")
    assert one.fingerprint == other.fingerprint
    assert one.origin(3) == other.origin(3)


def test_the_rows_are_in_the_order_of_the_table(folder: Path) -> None:
    path = table(folder)
    frame = pd.read_csv(path).iloc[::-1]
    frame.to_csv(path, index=False)
    assert read(path).origin(0) == str(folder / "pictures/1/005.png")
    assert read(path).rows.tolist() == [*range(12)]


def test_absolute_paths_and_those_of_windows_are_found(folder: Path) -> None:
    path = table(folder)
    frame = pd.read_csv(path)
    frame.loc[0, "path"] = str(folder / "pictures/0/000.png")
    frame["path"] = [p.replace("/", "\\") if i else p for i, p in enumerate(frame["path"])]
    frame.to_csv(path, index=False)
    assert len(read(path)) == 12


def test_paths_that_lead_nowhere_are_counted_and_the_first_named(folder: Path) -> None:
    path = table(folder)
    (folder / "pictures/0/002.png").unlink()
    (folder / "pictures/1/003.png").unlink()
    with pytest.raises(DataError, match=r"2 of 12 rows lead to no file, row 2 to 'pictures/0/002"):
        read(path)


@pytest.mark.parametrize("cell", ["é" * 200, "x" * 5000, "pictures", "/", "\\", "a\nb"])
def test_a_cell_that_can_be_no_file_leads_to_none(folder: Path, cell: str) -> None:
    path = table(folder)
    frame = pd.read_csv(path)
    frame.loc[0, "path"] = cell
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"column 'path': a row leads to no file, row 0 to '"):
        read(path)


@pytest.mark.parametrize("column", ["path", "label", "group"])
def test_an_empty_cell_is_named(folder: Path, column: str) -> None:
    path = table(folder, group=["a"] * 12)
    frame = pd.read_csv(path)
    frame.loc[4, column] = None
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=rf"column '{column}', row 4: the cell is empty"):
        read(path)


def test_an_image_id_finds_its_file_below_the_folder_whatever_its_ending(folder: Path) -> None:
    """As Kaggle has it: `train.csv` beside `train_images/`."""
    images = folder / "train_images"
    images.mkdir()
    for i, ending in enumerate(("jpg", "png", "png", "webp")):
        Image.new("L", (SIDE, SIDE), 40 * i).save(images / f"x{i}.{ending}", lossless=True)
    ids = [f"x{i}" for i in range(3)] + ["x3.webp"]
    (folder / "train.csv").write_text(
        "image_id,label\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(ids))
    )
    frames = read(folder / "train.csv")
    assert frames.origin(0) == str(images / "x0.jpg")
    assert frames.images[:, 0, 0, 0].tolist()[1:3] == [40, 80]


def test_an_image_id_of_two_files_is_refused(folder: Path) -> None:
    (folder / "train.csv").write_text("image_id,label\n000,a\n")
    with pytest.raises(DataError, match=r"'000' is .*/0/000\.png and .*/1/000\.png; give a column"):
        read(folder / "train.csv")


def test_the_only_other_column_is_the_label_and_said_so(folder: Path) -> None:
    path = table(folder)
    pd.read_csv(path).rename(columns={"label": "kind"}).to_csv(path, index=False)
    frames = read(path)
    assert frames.classes == ("ok", "spur")
    assert "column 'kind' is taken as the label: it is the only one" in in_english(frames.notes)


def test_of_several_columns_the_label_and_the_image_are_asked_for(folder: Path) -> None:
    path = table(folder, judge=["x", "y"] * 6)
    frame = pd.read_csv(path).rename(columns={"label": "kind", "path": "file"})
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"no pixel columns"):
        read(path)
    with pytest.raises(DataError, match=r"--label-column NAME; there are 'kind', 'judge'"):
        read(path, Asked(image="file"))
    assert read(path, Asked("file", "kind")).classes == ("ok", "spur")
    with pytest.raises(DataError, match=r"--image-column 'files': there is no such column"):
        read(path, Asked("files", "kind"))


def test_prediction_reads_the_same_files_and_needs_no_label(folder: Path) -> None:
    path = table(folder)
    pd.read_csv(path)[["path"]].to_csv(path, index=False)
    batches = list(read_batches([path], card(shape=(1, SIDE, SIDE)), 5))
    assert [len(batch.names) for batch in batches] == [5, 5, 2]
    assert batches[0].names[3] == str(folder / "pictures/0/003.png")
    assert count([path]) == 12


def test_a_run_is_configured_by_name_of_columns(folder: Path) -> None:
    path = table(folder, judge=["x", "y"] * 6)
    pd.read_csv(path).rename(columns={"label": "kind", "path": "file"}).to_csv(path, index=False)
    (folder / "run.toml").write_text(
        'seeds = 1\npictures = false\nreferences = "none"\n[data]\ntrain = "parts.csv"\n'
        'image_column = "file"\n'
        'label_column = "kind"\n[grid]\narch = ["mlp"]\nstyle = ["vanilla"]\n[train]\nepochs = 1\n'
        "[timing]\nenabled = false\n"
    )
    assert bench(folder / "run.toml", "--out", folder / "out") == 0
    accuracy = pd.read_csv(folder / "out/accuracy.csv")
    assert set(accuracy["n"]) == {2, 4}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")
def test_the_tiles_are_divided_by_tile() -> None:
    train, test = read(SHARED / "train.csv"), read(SHARED / "test.csv")
    assert train.groups is not None
    assert test.groups is not None
    assert (len(set(train.groups)), len(set(test.groups))) == (199, 126)
    assert not set(train.groups) & set(test.groups)
    assert train.classes == test.classes
    by_folder = read(SHARED / "train")
    assert sorted(by_folder.images.sum((1, 2, 3))) == sorted(train.images.sum((1, 2, 3)))
