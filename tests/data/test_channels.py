"""Grey and colour brought together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from saying import in_english
from small_bundle import card

from gaikan.bundle.image_batch import CONVERTED
from gaikan.bundle.images import read_batches
from gaikan.data import channels
from gaikan.data.channels import to_channels
from gaikan.data.classes import align
from gaikan.data.sources import read_source

pytestmark = pytest.mark.timeout(120)

RGB = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), np.uint8)


def test_colour_becomes_the_grey_that_pillow_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_AT_ONCE", 130)  # two images
    grey = to_channels(RGB, 1)
    for image, made in zip(RGB, grey, strict=True):
        expected = Image.fromarray(image.transpose(1, 2, 0).copy()).convert("L")
        np.testing.assert_array_equal(made[0], np.asarray(expected))
    floats = to_channels((RGB / 255).astype(np.float32), 1)
    np.testing.assert_allclose(floats * 255, grey, atol=0.51)


def test_grey_parts_in_colour_come_back_as_they_were() -> None:
    grey = RGB[:, :1]
    assert (to_channels(to_channels(grey, 3), 1) == grey).all()
    assert to_channels(grey, 1) is grey


def lot(path: Path, mode: str) -> Path:
    for name, seed in (("ok", 0), ("spur", 1)):
        (path / name).mkdir(parents=True)
        for i in range(4):
            pixels = np.random.default_rng([seed, i]).integers(0, 256, (10, 10), np.uint8)
            image = Image.fromarray(pixels)
            if mode == "palette":
                image = image.convert("RGB").quantize(256)
            elif mode == "alpha":
                image.putalpha(128)
            else:
                image = image.convert(mode)
            image.save(path / name / f"{i}.png")
    return path


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "palette", "alpha"])
def test_a_test_part_in_colour_is_brought_to_grey_as_on_the_line(tmp_path: Path, mode: str) -> None:
    train = read_source(str(lot(tmp_path / "train", "L")))
    test = read_source(str(lot(tmp_path / "test", mode)), "test", train.shape[1:])
    aligned = align(train, test)
    assert aligned.shape == train.shape
    assert (aligned.images == train.images).all()
    assert any("colour is made grey" in note for note in in_english(aligned.notes)) == (
        "RGB" in mode
    )
    (batch,) = read_batches([tmp_path / "test"], card(shape=train.shape), 16)
    assert (batch.images == aligned.images).all()
    assert batch.changes[CONVERTED] == 8 * ("RGB" in mode)


def test_a_grey_test_part_is_brought_to_colour(tmp_path: Path) -> None:
    train = read_source(str(lot(tmp_path / "train", "RGB")))
    test = read_source(str(lot(tmp_path / "test", "L")), "test", train.shape[1:])
    aligned = align(train, test)
    assert (aligned.images == train.images).all()
    assert "grey is read as colour" in in_english(aligned.notes)[-1]


def test_a_colour_image_that_is_resized_too_is_that_of_the_line(tmp_path: Path) -> None:
    for name in ("ok", "spur"):
        (tmp_path / name).mkdir()
        Image.fromarray(RGB[0].transpose(1, 2, 0).copy()).save(tmp_path / name / "0.png")
    train = read_source(str(lot(tmp_path / "train", "L")))
    (tmp_path / "test").mkdir()
    for name in ("ok", "spur"):
        (tmp_path / name).rename(tmp_path / "test" / name)
    aligned = align(train, read_source(str(tmp_path / "test"), "test", train.shape[1:]))
    (batch,) = read_batches([tmp_path / "test"], card(shape=train.shape), 16)
    assert (batch.images == aligned.images).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_colour_table_is_made_grey_on_the_line(tmp_path: Path, dtype: str) -> None:
    flat = RGB.transpose(0, 2, 3, 1).reshape(len(RGB), -1).astype(dtype)
    path = tmp_path / "lot.parquet"
    pd.DataFrame(flat, columns=[f"data{i}" for i in range(flat.shape[1])]).to_parquet(path)
    batches = list(read_batches([path], card(shape=(1, 5, 4), dtype=dtype), 4))
    made = np.concatenate([batch.images for batch in batches])
    np.testing.assert_array_equal(made, to_channels(RGB.astype(dtype), 1))
    assert [batch.changes[CONVERTED] for batch in batches] == [4, 3]
