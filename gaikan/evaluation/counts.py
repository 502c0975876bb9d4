"""Escapes, overkills and recalls: what counts as one, by names or by numbers of classes.

An escape is a defective part called good, an overkill a good part called defective. NumPy alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Called = NDArray[np.str_] | NDArray[np.int64]
Marks = NDArray[np.bool_]


def escaped(actual: Called, predicted: Called, ok: str | int | None) -> Marks:
    """The parts that are escapes, (..., N) as `predicted`, from actual classes (N,)."""
    marks: Marks = (actual != ok) & (predicted == ok)
    return marks


def overkilled(actual: Called, predicted: Called, ok: str | int | None) -> Marks:
    """The parts that are overkills, (..., N) as `predicted`, from actual classes (N,)."""
    marks: Marks = (actual == ok) & (predicted != ok)
    return marks


@dataclass(frozen=True)
class ShopFloorCounts:
    """Errors of one network, and parts of their kind; None where no class means good."""

    escapes: int | None
    defects: int | None
    overkills: int | None
    goods: int | None

    @classmethod
    def of(cls, actual: Called, predicted: Called, ok: str | int | None) -> "ShopFloorCounts":
        """From classes (N,)."""
        if ok is None:
            return cls(None, None, None, None)
        good, called_good = actual == ok, predicted == ok
        goods = int(np.count_nonzero(good))
        kept = int(np.count_nonzero(good & called_good))
        escapes = int(np.count_nonzero(called_good)) - kept
        return cls(escapes, len(actual) - goods, goods - kept, goods)

    @property
    def escape_rate(self) -> float | None:
        """Escapes of defective parts; None without one."""
        return self.escapes / self.defects if self.escapes is not None and self.defects else None

    @property
    def overkill_rate(self) -> float | None:
        """Overkills of good parts; None without one."""
        return self.overkills / self.goods if self.overkills is not None and self.goods else None


def recall(right: Marks, parts: Marks) -> float | None:
    """Share of `parts` (N,) that are `right` (N,); None where there are none."""
    return float(right[parts].mean()) if parts.any() else None


def recall_weights(actual: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each part (N,) counts, if right, so that the mean over parts is the mean recall.

    The reciprocal of its class's size, over the classes that occur.
    """
    sizes = np.bincount(actual)
    weights: NDArray[np.float64] = len(actual) / (np.count_nonzero(sizes) * sizes[actual])
    return weights
