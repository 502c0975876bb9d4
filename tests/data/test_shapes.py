"""The height and width of table rows: told, or asked for with every likely reading named."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from runner import bench
from saying import in_english
from small_bundle import card

from gaikan.bundle.images import read_batches
from gaikan.config.toml_files import load_config
from gaikan.data.shapes import readings
from gaikan.data.sources import read_source
from gaikan.errors import DataError
from gaikan.evaluation.experiment import prepare

pytestmark = pytest.mark.timeout(120)


def images(*shape: int, rows: int = 12) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (rows, *shape), np.uint8)


def write(path: Path, values: NDArray[np.uint8], metadata: dict[str, str] | None = None) -> Path:
    flat = values.reshape(len(values), -1)
    data = {f"data{i}": flat[:, i] for i in range(flat.shape[1])}
    table = pa.table({**data, "label": np.arange(len(values)) % 2})
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        ((24, 32, 3), "24 x 32 x 3"),
        ((36, 64), "36 x 64"),
        ((16, 64), "16 x 64 or 64 x 16"),
        ((20, 45), "20 x 45"),  # 30 x 30
        ((28, 63), "28 x 63"),  # 42 x 42
    ],
)
def test_a_square_is_not_guessed_where_another_reading_is_likely(
    tmp_path: Path, shape: tuple[int, ...], named: str
) -> None:
    path = write(tmp_path / "parts.parquet", images(*shape))
    with pytest.raises(DataError, match=rf"may be .*{named}.*; say which: --shape HEIGHTxWIDTH"):
        read_source(str(path))


@pytest.mark.parametrize("side", [12, 14, 16, 17])
def test_a_square_that_is_the_only_likely_reading_is_read_and_said(
    tmp_path: Path, side: int
) -> None:
    frames = read_source(str(write(tmp_path / "parts.parquet", images(side, side))))
    assert frames.shape == (1, side, side)
    assert any(f"read as {side} x {side}" in note for note in in_english(frames.notes))


@pytest.mark.parametrize("pixels", [2304, 1024, 900, 4096, 144])
def test_readings_are_all_that_are_likely(pixels: int) -> None:
    likely = [
        (h, w, c)
        for c in (1, 3)
        for h in range(12, 200)
        for w in range(h, 4 * h + 1)
        if h * w * c == pixels
    ]
    assert sorted((s.height, s.width, s.channels) for s in readings(pixels)) == sorted(likely)


def test_the_size_that_is_asked_for_makes_colour_of_three_times_as_many_values(
    tmp_path: Path,
) -> None:
    values = images(24, 32, 3)
    frames = read_source(str(write(tmp_path / "p.parquet", values)), size=(24, 32))
    assert (frames.images == values.transpose(0, 3, 1, 2)).all()
    assert "2304 values are read as 24 x 32 pixels of red, green and blue" in in_english(
        frames.notes
    )


@pytest.mark.parametrize("text", ["[24, 32, 3]", "24x32x3", "(24, 32, 3)"])
def test_a_shape_in_the_metadata_is_taken(tmp_path: Path, text: str) -> None:
    values = images(24, 32, 3)
    frames = read_source(str(write(tmp_path / "p.parquet", values, {"shape": text})))
    assert (frames.images == values.transpose(0, 3, 1, 2)).all()
    assert not in_english(frames.notes)


def test_channels_that_come_first_are_taken_as_the_metadata_say(tmp_path: Path) -> None:
    values = images(3, 24, 32)
    frames = read_source(str(write(tmp_path / "p.parquet", values, {"shape": "[3, 24, 32]"})))
    assert (frames.images == values).all()


@pytest.mark.parametrize(
    "text", ["[24, 32]", "[24]", "x", "[4, 24, 8, 3]", "[3, 256, 3]", "[0, 1]"]
)
def test_a_shape_in_the_metadata_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "p.parquet", images(24, 32, 3), {"shape": text})
    with pytest.raises(DataError, match=r"p\.parquet: .*shape"):
        read_source(str(path))


@pytest.mark.parametrize("told", ["train", "test"])
def test_the_other_source_tells_the_shape(tmp_path: Path, told: str) -> None:
    for part in ("train", "test"):
        metadata = {"shape": "[16, 64]"} if part == told else None
        rows = 12 if part == "train" else 10  # or the test would be of the training source
        write(tmp_path / f"{part}.parquet", images(16, 64, rows=rows), metadata)
    (tmp_path / "run.toml").write_text('[data]\ntrain = "train.parquet"\ntest = "test.parquet"\n')
    found = prepare(load_config(tmp_path / "run.toml", {}))
    assert found.train.shape == found.test.shape == (1, 16, 64)


def test_without_a_word_anywhere_a_run_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "p.parquet", images(36, 64))
    assert bench("--train", path, "--out", tmp_path / "out") == 2
    assert "36 x 64 or 64 x 36" in capsys.readouterr().err


def test_prediction_takes_colour_tables(tmp_path: Path) -> None:
    values = images(24, 32, 3)
    path = write(tmp_path / "p.parquet", values)
    read = [b.images for b in read_batches([path], card(shape=(3, 24, 32)), 5)]
    assert (np.concatenate(read) == values.transpose(0, 3, 1, 2)).all()
