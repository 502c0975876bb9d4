"""Value scales and bit depths: training against test, and a bundle against the line."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from runner import bench, gaikan
from saying import in_english
from small_bundle import bundle, card

from gaikan.bundle.images import read_batches
from gaikan.data.classes import align
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.data.value_range import ValueRange
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(300)

SHARED = Path(__file__).parents[3] / "shared/data"
PARTS = np.random.default_rng(0).integers(20, 230, (24, 1, 8, 8)).astype(np.uint8)


def frames(images: NDArray[Any], source: str = "lot", depth: str | None = None) -> Frames:
    labels = np.arange(len(images)) % 2
    return Frames(
        source, images, labels, ("ok", "spur"), ("ok", "spur"), np.arange(len(images)), depth=depth
    )


def folder(path: Path, images: NDArray[Any]) -> Path:
    for i, image in enumerate(images):
        (path / ("ok", "spur")[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(path / ("ok", "spur")[i % 2] / f"{i:02}.png")
    return path


DEEP = PARTS.astype(np.uint16)
SIXTEEN, TWELVE, TEN = (DEEP * factor for factor in (257, 16, 4))
UNIT = (PARTS / 255).astype(np.float32)
TRAINED = frames(PARTS, "train", "8-bit")


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (PARTS, SIXTEEN, r"values 5140 to 58\d+ \(16-bit files\)"),
        (SIXTEEN, PARTS, r"values 2\d to 2\d\d \(8-bit files\)"),
        (PARTS, TEN, r"\(16-bit files\)"),
        (TWELVE, SIXTEEN, r"\(16-bit files\), but those of .*train are"),
        (SIXTEEN, TWELVE, r"\(16-bit files\), but those of .*train are"),
    ],
)
def test_folders_of_another_bit_depth_or_scale_are_refused(
    tmp_path: Path, train: NDArray[Any], test: NDArray[Any], words: str
) -> None:
    known = read_source(str(folder(tmp_path / "train", train)))
    with pytest.raises(DataError, match=words):
        align(known, read_source(str(folder(tmp_path / "test", test))))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (PARTS, UNIT),
        (UNIT, PARTS),
        (PARTS, PARTS // 200),
        (UNIT, PARTS.astype(np.float32)),
        (UNIT * 2 - 1, PARTS.astype(np.float32)),
        (PARTS.astype(np.float32) + 40_000, PARTS.astype(np.float32) * 20 + 40_000),
    ],
)
def test_tables_of_another_scale_are_refused(train: NDArray[Any], test: NDArray[Any]) -> None:
    with pytest.raises(DataError, match=r"lot: values .*, but those of train are .*; bring both"):
        align(frames(train, "train"), frames(test))


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (PARTS // 4, r"lot: values .*: exposure, gain or scale differ"),
        (PARTS // 16, r"lot: values .*: exposure, gain or scale differ"),  # dark, but of 8 bits
        (
            PARTS - 18,
            r"lot: 8\d % of its images are darker than any of train: exposure or light differ",
        ),
        (PARTS + 20, r"lot: 6\d % of its images are brighter than any of train"),
    ],
)
def test_another_exposure_is_said(test: NDArray[np.uint8], words: str) -> None:
    (note,) = in_english(align(TRAINED, frames(test, depth="8-bit")).notes)
    assert re.match(words, note)


def test_numbers_of_a_table_may_be_fractions_on_the_scale_of_files() -> None:
    (note,) = in_english(align(TRAINED, frames(PARTS.astype(np.float32) + 0.25)).notes)
    assert "one has whole numbers, the other fractions" in note


def test_parts_like_those_of_training_are_not_remarked_on() -> None:
    other = np.random.default_rng(1).integers(20, 230, PARTS.shape).astype(np.uint8)
    assert not in_english(align(TRAINED, frames(other, depth="8-bit")).notes)
    assert not in_english(align(TRAINED, frames(PARTS[:1], depth="8-bit")).notes)
    hot = PARTS.astype(np.float32).repeat(8, 0)
    spoilt = hot.copy()
    spoilt[0, 0, 3, 3] = 65_535  # one pixel of a camera
    assert not in_english(align(frames(hot, "train"), frames(spoilt)).notes)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")
@pytest.mark.parametrize(
    ("train", "test"),
    [("deeppcb_train.parquet", "deeppcb_test.parquet"), ("tiles/train", "tiles/test")],
)
def test_real_data_sets_give_no_false_alarm(train: str, test: str) -> None:
    known, later = (read_source(str(SHARED / name)) for name in (train, test))
    notes = (*in_english(known.notes), *in_english(align(known, later).notes))
    assert not [note for note in notes if "exposure" in note or "may learn" in note]


def test_the_rendered_terminals_give_no_false_alarm() -> None:
    known, later = read_source("terminals", "train"), read_source("terminals", "test")
    assert not in_english(align(known, later).notes)


def test_a_run_on_another_bit_depth_ends_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = folder(tmp_path / "train", PARTS), folder(tmp_path / "test", SIXTEEN)
    assert bench("--train", train, "--test", test, "--out", tmp_path / "out") == 2
    stderr = capsys.readouterr().err
    assert "(16-bit files), but those of" in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------------------
# The line


@pytest.mark.parametrize(
    ("trained", "given"),
    [(PARTS, SIXTEEN), (SIXTEEN, PARTS), (TEN, PARTS), (TWELVE, SIXTEEN), (SIXTEEN, TWELVE)],
)
def test_the_line_refuses_files_of_another_depth_or_scale(
    tmp_path: Path, trained: NDArray[Any], given: NDArray[Any]
) -> None:
    known = read_source(str(folder(tmp_path / "train", trained)))
    values = ValueRange.of(known.images)
    made = card(dtype=str(known.images.dtype), depth=known.depth, values=(values.low, values.high))
    lot = folder(tmp_path / "lot", given)
    with pytest.raises(DataError, match=r"lot/ok/00\.png: .*, but the model was trained on"):
        list(read_batches([lot], made, 4))
    (batch,) = read_batches([folder(tmp_path / "good", trained)], made, 64)
    np.testing.assert_array_equal(batch.images, known.images)


@pytest.mark.parametrize("shift", [0, 900])
def test_a_part_of_little_contrast_is_not_taken_for_another_scale(
    tmp_path: Path, shift: int
) -> None:
    made = card(dtype="float32", depth="16-bit", values=(200.0, 4000.0))
    plain = np.full((1, 1, 8, 8), 1000 + shift, np.uint16)
    (batch,) = read_batches([folder(tmp_path, plain)], made, 4)
    assert (batch.images == 1000 + shift).all()


@pytest.mark.parametrize("kind", ["parquet", "csv", "lists"])
@pytest.mark.parametrize(
    ("dtype", "trained", "given"),
    [
        ("float32", (0.0, 1.0), PARTS),
        ("float32", (0.0, 255.0), UNIT),
        ("uint8", (0.0, 255.0), PARTS // 200),
        ("uint8", (0.0, 1.0), PARTS),
    ],
)
def test_the_line_refuses_tables_of_another_scale(
    tmp_path: Path, kind: str, dtype: str, trained: tuple[float, float], given: NDArray[Any]
) -> None:
    import pandas as pd

    flat = given.reshape(len(given), -1)
    path = tmp_path / f"lot.{'csv' if kind == 'csv' else 'parquet'}"
    if kind == "lists":
        table = pd.DataFrame({"image": list(flat)})
        table.to_parquet(path)
    else:
        table = pd.DataFrame(flat, columns=[f"data{i}" for i in range(flat.shape[1])])
        _ = table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    made = card(dtype=dtype, values=trained)
    with pytest.raises(DataError, match=r"lot\..*:0 to .*: values .*, but the model was trained"):
        list(read_batches([path], made, 8))
    right = replace(made, values=(0.0, float(given.max())))
    batches = list(read_batches([path], right, 8))
    np.testing.assert_array_equal(np.concatenate([b.images for b in batches]), given)


def test_predict_and_enrol_end_with_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    lot, out = folder(tmp_path / "lot", SIXTEEN), tmp_path / "n.gaikan"
    for command in (
        ("predict", tmp_path / "m.gaikan", lot, "--csv", tmp_path / "out.csv"),
        ("enrol", tmp_path / "m.gaikan", lot, "--class", "n", "-o", out),
    ):
        assert gaikan(*command) == 2
        stderr = capfd.readouterr().err
        assert "16-bit pixels, but the model was trained on 8-bit ones" in stderr
        assert stderr.count("\n") == 1
    assert not out.exists()
    assert not (tmp_path / "out.csv").exists()
