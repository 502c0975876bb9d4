"""Tables that are large: read in parts, mapped, and with the figures of small ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from runner import bench

from gaikan.data import large, pixel_columns, room
from gaikan.data.large import LargeTable
from gaikan.data.sources import read_source
from gaikan.errors import DataError

ROWS, PIXELS = 120, 144


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every array lies in a file, every table is read a few columns of a row group at a time."""
    monkeypatch.setattr(room, "LARGE", 0)
    monkeypatch.setattr(room, "_AT_ONCE", 2000)
    monkeypatch.setattr(large, "LARGE", 0)
    monkeypatch.setattr(large, "_AT_ONCE", 7 * 8 * 50)
    monkeypatch.setattr(pixel_columns, "_ROWS", 50)


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


def test_a_run_on_mapped_images_has_the_figures_of_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 120, (ROWS, PIXELS))
    for label in range(3):
        values[label::3, 24 * label : 24 * label + 24] += 60
    path = write(tmp_path / "parts.parquet", values)
    (tmp_path / "grid.toml").write_text(
        f'seeds = 1\npictures = false\nreferences = "none"\n[data]\ntrain = "{path}"\n'
        '[grid]\narch = ["mlp"]\n'
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
