"""Sources and runs that are large: read in parts, mapped, and with the figures of small ones."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from tiny import bench

from gaikan.data import large, room, tables
from gaikan.data.large import LargeTable
from gaikan.data.sources import read_source
from gaikan.errors import DataError
from gaikan.evaluation import copies
from gaikan.evaluation.copies import find_copies
from gaikan.evaluation.statistics import Units, resample

ROWS, PIXELS = 120, 144


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every array lies in a file, every table is read a few columns of a row group at a time."""
    monkeypatch.setattr(room, "LARGE", 0)
    monkeypatch.setattr(room, "_AT_ONCE", 2000)
    monkeypatch.setattr(large, "LARGE", 0)
    monkeypatch.setattr(large, "_AT_ONCE", 7 * 8 * 50)
    monkeypatch.setattr(tables, "_ROWS", 50)


def pixels(dtype: str, highest: int = 256) -> NDArray[Any]:
    values = np.random.default_rng(0).integers(0, highest, (ROWS, PIXELS))
    return values.astype(dtype)


def write(path: Path, values: NDArray[Any], group: int = 50) -> Path:
    labels = np.arange(len(values)) % 3
    columns = {f"data{i}": values[:, i] for i in range(values.shape[1])}
    lots = (np.arange(len(values)) // 10).astype(str)
    table = pa.table({**columns, "label": labels, "group": lots})
    pq.write_table(table, path, row_group_size=group)
    return path


@pytest.mark.parametrize(
    ("dtype", "highest", "kept"),
    [
        ("uint8", 256, "uint8"),
        ("int64", 256, "uint8"),
        ("int64", 400, "float32"),
        ("float64", 256, "float32"),
    ],
)
@pytest.mark.usefixtures("everything_is_large")
def test_a_large_table_holds_what_a_small_one_does(
    dtype: str, highest: int, kept: str, tmp_path: Path
) -> None:
    values = pixels(dtype, highest)
    path = write(tmp_path / "parts.parquet", values)
    assert LargeTable(path).is_large
    frames = read_source(str(path))
    assert isinstance(frames.images, np.memmap)
    assert frames.images.dtype == kept
    np.testing.assert_array_equal(frames.images.reshape(ROWS, -1), values.astype(kept))
    assert frames.labels.tolist() == (np.arange(ROWS) % 3).tolist()
    assert frames.groups is not None
    assert frames.groups[-1] == "11"


@pytest.mark.usefixtures("everything_is_large")
def test_a_bad_value_in_a_later_row_group_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    values = pixels("float64")
    values[71, 100] = np.nan
    path = write(tmp_path / "parts.parquet", values)
    with pytest.raises(DataError, match=r"column 'data100', row 71: nan is not finite"):
        read_source(str(path))


@pytest.mark.usefixtures("everything_is_large")
def test_a_large_file_that_is_damaged_in_the_middle_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "parts.parquet", pixels("int64"))
    content = bytearray(path.read_bytes())
    content[2000:40_000] = b"\xff" * 38_000
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"parts\.parquet: not a readable parquet file"):
        read_source(str(path))


@pytest.mark.usefixtures("everything_is_large")
def test_gathered_images_are_those_that_were_asked_for() -> None:
    images = pixels("uint8").reshape(ROWS, 1, 12, 12)
    index = np.random.default_rng(1).integers(0, ROWS, 300)
    found = room.gathered(images, index)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, images[index])


def test_without_room_on_the_disk_there_is_one_line_and_not_a_crash() -> None:
    program = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
        "from gaikan.data.room import room\n"
        "from gaikan.errors import DataError\n"
        "try:\n"
        "    room((2**29,), 'uint8')\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.returncode == 0
    assert said.stderr == ""
    assert "no room for 0.5 GB of images (File too large)" in said.stdout


def test_a_run_on_mapped_images_has_the_figures_of_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 120, (ROWS, PIXELS))
    for label in range(3):
        values[label::3, 24 * label : 24 * label + 24] += 60
    path = write(tmp_path / "parts.parquet", values)
    (tmp_path / "grid.toml").write_text(
        f'seeds = 1\nreferences = "none"\n[data]\ntrain = "{path}"\n[grid]\narch = ["mlp"]\n'
        'style = ["triplet"]\n[timing]\nenabled = false\n[train]\nepochs = 1\nbatch_size = 16\n'
    )
    assert bench(tmp_path / "grid.toml", "--out", tmp_path / "small") == 0
    for module, name, value in (
        (room, "LARGE", 0),
        (room, "_AT_ONCE", 2000),
        (large, "LARGE", 0),
        (large, "_AT_ONCE", 2800),
    ):
        monkeypatch.setattr(module, name, value)
    assert bench(tmp_path / "grid.toml", "--out", tmp_path / "large") == 0
    for name in ("accuracy.csv", "comparisons.csv", "leaks.csv"):
        assert (tmp_path / "small" / name).read_bytes() == (tmp_path / "large" / name).read_bytes()


def test_among_many_images_near_copies_of_a_sample_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = np.random.default_rng(0).integers(0, 200, (60, 1, 16, 16), np.uint8)
    test = np.random.default_rng(1).integers(0, 200, (30, 1, 16, 16), np.uint8)
    test[:15] = train[:15] + np.uint8(20)  # brighter copies
    every = find_copies(train, test)
    assert len(every.near) == 15
    assert len(every.searched) == 90
    monkeypatch.setattr(copies, "_MOST", 50)
    monkeypatch.setattr(copies, "_SAMPLE", 10)
    some = find_copies(train, test)
    assert len(some.searched) == 20
    drawn = np.isin(every.near, some.searched).any(1)  # the other of the pair need not be drawn
    assert 0 < drawn.sum() < 15
    np.testing.assert_array_equal(some.near, every.near[drawn])
    np.testing.assert_allclose(some.similarity, every.similarity[drawn], atol=1e-6)


def test_resamples_do_not_depend_on_how_many_are_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    correct = np.random.default_rng(0).random((4, 2, 500)) < 0.8
    whole = resample(Units.of(correct, None), np.random.default_rng(3))
    monkeypatch.setattr("gaikan.evaluation.statistics._COUNTS", 500 * 7)
    np.testing.assert_allclose(
        resample(Units.of(correct, None), np.random.default_rng(3)), whole, rtol=1e-12
    )
