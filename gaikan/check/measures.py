"""The figures that are checked, each as a mean over parts, so that two runs differ part by part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.evaluation.counts import escaped, overkilled, recall_weights

Index = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A figure as a mean: over which parts, and of which value of each part."""

    name: str  # as in `accuracy.csv`
    title: str
    worse: int  # sign of a change for the worse: -1 or 1
    parts: Callable[[Index, int | None], NDArray[np.bool_]]  # of actual classes (N,)
    values: Callable[[Index, Index, int | None], Floats]  # of predicted (..., n), actual (n,)

    def of(self, predicted: Index, actual: Index, ok: int | None) -> Floats:
        """Values (..., n) whose mean over the n parts concerned is the figure.

        `predicted` (..., N) and `actual` (N,) index classes, as does `ok`, the good one.
        """
        kept = self.parts(actual, ok)
        return self.values(predicted[..., kept], actual[kept], ok)


def _all(actual: Index, ok: int | None) -> NDArray[np.bool_]:
    return np.ones(len(actual), bool)


def _correct(predicted: Index, actual: Index, ok: int | None) -> Floats:
    return np.equal(predicted, actual).astype(np.float64)


def _balanced(predicted: Index, actual: Index, ok: int | None) -> Floats:
    """Mean recall over the classes that occur."""
    return _correct(predicted, actual, ok) * recall_weights(actual)


def _called_good(predicted: Index, actual: Index, ok: int | None) -> Floats:
    return escaped(actual, predicted, ok).astype(np.float64)


def _called_bad(predicted: Index, actual: Index, ok: int | None) -> Floats:
    return overkilled(actual, predicted, ok).astype(np.float64)


MEASURES = (
    Measure("accuracy", "accuracy", -1, _all, _correct),
    Measure("balanced_accuracy", "balanced accuracy", -1, _all, _balanced),
    Measure("escape_rate", "escape rate", 1, lambda actual, ok: actual != ok, _called_good),
    Measure("overkill_rate", "overkill rate", 1, lambda actual, ok: actual == ok, _called_bad),
)


def measured(actual: Index, ok: int | None) -> tuple[Measure, ...]:
    """The figures that these parts have: rates need a good class, and parts of their kind."""
    rates = () if ok is None else MEASURES[2:]
    return MEASURES[:2] + tuple(m for m in rates if m.parts(actual, ok).any())
