"""A run's test figures with and without some of the parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Figures:
    """Test figures of a variant over all its seeds, in 0..1; NaN where nothing is left to count."""

    variant: str
    accuracy: float
    accuracy_without: float
    escape_rate: float  # NaN without a good class
    escape_rate_without: float

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """All of them: accuracy with and without the parts, escape rate with and without."""
        return (
            self.accuracy,
            self.accuracy_without,
            self.escape_rate,
            self.escape_rate_without,
        )


def figures_without(table: pd.DataFrame, samples: Sequence[int], ok: str | None) -> list[Figures]:
    """Of each variant, with and without the parts whose `sample` is given; best first with them.

    `table`: rows of `predictions.parquet` of the test part, with columns variant, sample, label
    and predicted. `ok` is the good class.
    """
    label, predicted = (table[name].astype(str).to_numpy() for name in ("label", "predicted"))
    kept = ~table["sample"].isin(samples).to_numpy()
    defect = (label != ok) & (ok is not None)
    columns = {
        "accuracy": label == predicted,
        "accuracy_without": np.where(kept, label == predicted, np.nan),
        "escape_rate": np.where(defect, predicted == ok, np.nan),
        "escape_rate_without": np.where(defect & kept, predicted == ok, np.nan),
    }
    means = (
        pd.DataFrame(columns, dtype=float)
        .groupby(table["variant"].astype(str).to_numpy(), sort=False)
        .mean()
        .sort_values("accuracy", ascending=False, kind="stable")
    )
    return [Figures(str(name), *row) for name, *row in means.itertuples()]
