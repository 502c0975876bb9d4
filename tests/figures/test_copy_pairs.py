"""The figure of candidates for copies shows those that matter first."""

import numpy as np
import pandas as pd
import pytest

from gaikan.data.frames import Frames
from gaikan.figures.copy_pairs import copy_pairs


@pytest.fixture(scope="module")
def frames() -> Frames:
    images = np.random.default_rng(0).integers(0, 255, (6, 1, 9, 8), np.uint8)
    return Frames("parts", images, np.zeros(6, np.int64), ("ok",), ("ok",), np.arange(6))


def pairs(*parts: tuple[str, str]) -> pd.DataFrame:
    rows = [(a, i, b, i + 1, 0.9 - i / 100) for i, (a, b) in enumerate(parts)]
    columns = ["first_part", "first_sample", "second_part", "second_sample", "similarity"]
    return pd.DataFrame(rows, columns=columns)


def labels(table: pd.DataFrame, frames: Frames) -> list[str]:
    figure = copy_pairs(table, frames, frames)
    return [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()]


def test_pairs_of_training_and_test_are_shown_the_least_alike_first(frames: Frames) -> None:
    table = pairs(("train", "test"), ("train", "train"), ("train", "test"), ("test", "test"))
    assert labels(table, frames) == ["train 2 | test 3", "train 0 | test 1"]


def test_where_there_is_none_the_others_are(frames: Frames) -> None:
    table = pairs(("train", "train"), ("test", "test"))
    assert labels(table, frames) == ["test 1 | test 2", "train 0 | train 1"]
