"""From the decisions of one network to its figures: accuracy, shop-floor rates, confusion."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

Names = NDArray[np.str_]


@dataclass(frozen=True)
class Scores:
    """Figures of one variant, seed and part; a rate is None where no such part was seen."""

    n: int
    accuracy: float
    balanced_accuracy: float  # mean recall over the classes that occur
    macro_f1: float
    escape_rate: float | None  # defective parts classified good / defective parts
    overkill_rate: float | None  # good parts classified defective / good parts
    escapes: int | None = None
    defects: int | None = None
    overkills: int | None = None
    goods: int | None = None


def score(actual: Names, predicted: Names, ok: str | None) -> Scores:
    """Scores of class names (N,), N >= 1."""
    counts = (None,) * 4 if ok is None else shop_floor_counts(actual, predicted, ok)
    escapes, defects, overkills, goods = counts
    seen = np.unique(actual)  # a class that is only predicted has no recall and no F1 of its own
    macro = {"average": "macro", "zero_division": 0}
    return Scores(
        n=len(actual),
        accuracy=float(accuracy_score(actual, predicted)),
        balanced_accuracy=float(recall_score(actual, predicted, labels=seen, **macro)),
        macro_f1=float(f1_score(actual, predicted, labels=seen, **macro)),
        escape_rate=escapes / defects if escapes is not None and defects else None,
        overkill_rate=overkills / goods if overkills is not None and goods else None,
        escapes=escapes,
        defects=defects,
        overkills=overkills,
        goods=goods,
    )


def shop_floor_counts(actual: Names, predicted: Names, ok: str) -> tuple[int, int, int, int]:
    """(escapes, defective parts, overkills, good parts); overkills are good parts called bad."""
    good, called_good = actual == ok, predicted == ok
    return (
        int((~good & called_good).sum()),
        int((~good).sum()),
        int((good & ~called_good).sum()),
        int(good.sum()),
    )


def confusion(actual: Names, predicted: Names, classes: tuple[str, ...]) -> pd.DataFrame:
    """Counts, rows actual, columns predicted, in the order of `classes`."""
    counts = confusion_matrix(actual, predicted, labels=list(classes))
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))
