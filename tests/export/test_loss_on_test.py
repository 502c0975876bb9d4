"""Whether a refit lost anything on test: known decisions, and what is refused."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.errors import BundleError
from gaikan.evaluation.comparisons import difference
from gaikan.evaluation.experiment import Experiment
from gaikan.export.loss_on_test import Change, changes, refuse_loss
from gaikan.export.source import BundleChoice, ExportSource

CLASSES = ("ok", "open", "spur")
LABELS = np.repeat([0, 1, 2], [40, 20, 20])
LOTS = np.arange(80) % 8


class Decided:
    """Stands for a network whose distances on the test part are known."""

    def __init__(self, distances: NDArray[np.float64]) -> None:
        self.embedded = SimpleNamespace(test=None)
        self.distances = lambda _: distances


def source(wrong: NDArray[np.int64]) -> ExportSource:
    """Right on all test parts but on the rows `wrong`, which it gives the next class."""
    called = LABELS.copy()
    called[wrong] = (called[wrong] + 1) % 3
    return cast(ExportSource, Decided(1.0 - np.eye(3)[called]))


def experiment(lots: NDArray[np.int64] | None = LOTS, ok: str | None = "ok") -> Experiment:
    images = np.arange(80 * 4, dtype=np.float32).reshape(80, 1, 2, 2)
    groups = None if lots is None else lots.astype(str)
    test: Any = Frames("x", images, LABELS, CLASSES, CLASSES, np.arange(80), groups=groups)
    return cast(Experiment, SimpleNamespace(train=test, test=test, ok=ok))


def test_each_figure_is_that_of_its_own_parts_paired_by_lots() -> None:
    before, after = np.array([0, 1, 60, 61]), np.array([0, 41, 42])
    found = {c.figure: c for c in changes(source(before), source(after), experiment(), None)}
    # The next class of spur (2) is ok: an escape; of ok it is open: an overkill.
    expected = {
        "accuracy": (76 / 80, 77 / 80),
        "escape rate": (2 / 40, 0.0),
        "overkill rate": (2 / 40, 1 / 40),
    }
    assert {name: (c.judged, c.refit) for name, c in found.items()} == expected
    new, old = (~np.isin(np.arange(80), wrong)[None] for wrong in (after, before))
    mean, low, high = difference(new, old, LOTS)
    change = found["accuracy"]
    assert (change.difference, change.low, change.high) == pytest.approx((mean, low, high))


def test_without_an_ok_class_there_is_accuracy_alone() -> None:
    nothing = np.arange(0)
    found = changes(source(nothing), source(nothing), experiment(None, None), None)
    assert [(c.figure, c.judged, c.refit, c.is_loss) for c in found] == [("accuracy", 1, 1, False)]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (Change("accuracy", 0.9, 0.8, -0.15, -0.05), True),
        (Change("accuracy", 0.9, 0.8, -0.25, 0.05), False),
        (Change("accuracy", 0.8, 0.9, 0.05, 0.15), False),
        (Change("escape rate", 0.01, 0.05, 0.02, 0.06), True),
        (Change("escape rate", 0.01, 0.05, -0.02, 0.1), False),
        (Change("overkill rate", 0.3, 0.1, -0.3, -0.1), False),
        (Change("accuracy", 0.9, 0.89, np.nan, np.nan), True),  # one lot: no margin
        (Change("accuracy", 0.9, 0.9, np.nan, np.nan), False),
    ],
)
def test_a_loss_is_what_exceeds_the_margin_of_error(change: Change, lost: bool) -> None:
    assert change.is_loss == lost
    assert "nan" not in str(change)


def test_what_is_lost_is_refused_with_the_figures() -> None:
    nothing, many = np.arange(0), np.arange(60, 72)
    before, after, parts = source(nothing), source(many), experiment()
    found = changes(before, after, parts, None)
    with pytest.raises(BundleError) as caught:
        refuse_loss(found, after, parts, BundleChoice("v"))
    said = str(caught.value)
    assert "worse accuracy, worse escape rate" in said
    assert "escape rate 0.0 to 30.0 % (+30.0, 95 %: +" in said
    assert "overkill rate 0.0 to 0.0 %" in said
    refuse_loss(changes(after, before, parts, None), before, parts, BundleChoice("v"))


def test_a_ceiling_that_test_contradicts_is_refused_though_nothing_is_worse() -> None:
    many = np.arange(60, 72)
    same, parts, choice = source(many), experiment(None), BundleChoice("v", ceiling=0.1)
    found = changes(same, same, parts, None)
    with pytest.raises(BundleError, match=r"escapes above the stage's ceiling of 10 %"):
        refuse_loss(found, same, parts, choice)
    refuse_loss(found, same, parts, replace(choice, ceiling=0.5))
    refuse_loss(found, same, parts, replace(choice, unconfirmed="as asked"))


def test_the_threshold_is_the_same_for_both() -> None:
    nothing = np.arange(0)
    found = changes(source(nothing), source(nothing), experiment(), 1.5)  # margins are 1
    assert {c.figure: (c.judged, c.refit) for c in found}["overkill rate"] == (1, 1)
