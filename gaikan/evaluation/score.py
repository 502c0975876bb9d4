"""From the decisions of one network to its figures: accuracy, shop-floor rates, confusion."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score

from gaikan.evaluation.counts import ShopFloorCounts
from gaikan.training.recall import mean_recall

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
    n = len(actual)
    codes = np.unique(np.concatenate([actual, predicted]), return_inverse=True)[1]
    label, called = codes[:n], codes[n:]
    seen = np.unique(label)  # a class that is only predicted has no F1 of its own
    counts = ShopFloorCounts.of(actual, predicted, ok)
    return Scores(
        n=n,
        accuracy=float((label == called).mean()),
        balanced_accuracy=mean_recall(label, called),
        macro_f1=float(f1_score(label, called, labels=seen, average="macro", zero_division=0)),
        escape_rate=counts.escape_rate,
        overkill_rate=counts.overkill_rate,
        escapes=counts.escapes,
        defects=counts.defects,
        overkills=counts.overkills,
        goods=counts.goods,
    )


def confusion(actual: Names, predicted: Names, classes: tuple[str, ...]) -> pd.DataFrame:
    """Counts, rows actual, columns predicted, in the order of `classes`."""
    counts = confusion_matrix(actual, predicted, labels=list(classes))
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))
