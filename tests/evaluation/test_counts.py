"""Escapes, overkills and recalls, counted with scikit-learn as a witness."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from gaikan.evaluation.counts import (
    ShopFloorCounts,
    escaped,
    overkilled,
    recall,
    recall_weights,
)

NAMES = np.array(["burr", "ok", "scratch"])
RNG = np.random.default_rng(0)
ACTUAL, PREDICTED = RNG.integers(0, 3, 200), RNG.integers(0, 3, 200)


@pytest.mark.parametrize("as_names", [False, True])
def test_counts_are_those_of_scikit_learns_confusion_matrix(as_names: bool) -> None:
    table = confusion_matrix(ACTUAL == 1, PREDICTED == 1)
    (right_defects, escapes), (overkills, right_goods) = table.tolist()
    expected = ShopFloorCounts(escapes, right_defects + escapes, overkills, overkills + right_goods)
    if as_names:
        counts = ShopFloorCounts.of(NAMES[ACTUAL], NAMES[PREDICTED], "ok")
    else:
        counts = ShopFloorCounts.of(ACTUAL, PREDICTED, 1)
    assert counts == expected
    assert counts.escape_rate == escapes / (right_defects + escapes)
    assert counts.overkill_rate == overkills / (overkills + right_goods)


def test_parts_that_are_marked_are_those_that_are_counted() -> None:
    counts = ShopFloorCounts.of(ACTUAL, PREDICTED, 1)
    seeds = np.stack([PREDICTED, ACTUAL])
    assert escaped(ACTUAL, seeds, 1).sum(1).tolist() == [counts.escapes, 0]
    assert overkilled(ACTUAL, seeds, 1).sum(1).tolist() == [counts.overkills, 0]


def test_a_rate_of_no_parts_is_none() -> None:
    good = np.ones(3, np.int64)
    counts = ShopFloorCounts.of(good, good, 1)
    assert (counts.escapes, counts.defects, counts.escape_rate) == (0, 0, None)
    assert counts.overkill_rate == 0
    nothing = ShopFloorCounts.of(good, good, None)
    assert nothing == ShopFloorCounts(None, None, None, None)
    assert (nothing.escape_rate, nothing.overkill_rate) == (None, None)


def test_a_recall_is_of_the_parts_asked_for() -> None:
    (expected,) = recall_score(ACTUAL, PREDICTED, labels=[2], average=None)
    assert recall(ACTUAL == PREDICTED, ACTUAL == 2) == expected
    assert recall(ACTUAL == PREDICTED, ACTUAL == 9) is None


def test_weighted_right_answers_are_the_mean_recall_of_scikit_learn() -> None:
    actual = np.where(ACTUAL == 1, 5, ACTUAL)  # classes between that do not occur
    weighted = ((actual == PREDICTED) * recall_weights(actual)).mean()
    expected = recall_score(actual, PREDICTED, labels=[0, 2, 5], average="macro")
    assert weighted == pytest.approx(expected)


def test_counting_needs_numpy_alone() -> None:
    program = (
        "import sys, gaikan.evaluation.counts, gaikan.training.recall;"
        "print([m for m in ('torch', 'pandas', 'sklearn', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
