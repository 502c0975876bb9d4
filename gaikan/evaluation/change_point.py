"""Where in a series of runs a figure changed, if it did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DRAWS = 4000


@dataclass(frozen=True)
class ChangePoint:
    """Where a series is best cut in two, and its mean on either side."""

    first: int  # index of the first run after the change
    before: float  # mean of the runs up to it
    after: float
    p: float  # probability that noise alone gives a cut as deep, anywhere in the series


def change_point(
    values: Floats, errors: Floats, freedoms: Floats, rng: np.random.Generator
) -> ChangePoint | None:
    """The least-squares single change point of T runs; None where nothing could have changed.

    `errors` (T,) are standard errors of the values by seeds, `freedoms` (T,) their degrees of
    freedom. The cut is the one whose two means differ most, in standard errors of their
    difference: the likelihood ratio test for one change in a normal series (Hinkley, 1970, with
    the variance estimated apart, from the seeds). Its p comes from simulated series that do not
    change. A run with the value of the run before, to the last digit, has the same networks: the
    two count as one, for the second is no new evidence.
    """
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0]))
    distinct, freedom = values[starts], float(freedoms[starts].sum())
    spread = np.sqrt((freedoms[starts] * np.square(errors[starts])).sum() / max(freedom, 1))
    if len(distinct) < 2 or not freedom or not spread:
        return None
    depths = _cuts(distinct[None])[0] / spread
    cut = int(depths.argmax()) + 1
    noise = _cuts(rng.normal(size=(_DRAWS, len(distinct)))).max(1)
    noise /= np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom)
    p = (1 + (noise >= depths[cut - 1]).sum()) / (1 + _DRAWS)
    return ChangePoint(
        int(starts[cut]), float(distinct[:cut].mean()), float(distinct[cut:].mean()), float(p)
    )


def _cuts(series: Floats) -> Floats:
    """|difference of means| over its standard error, (B, T - 1), of series (B, T) of unit noise."""
    n = series.shape[1]
    left = np.arange(1, n)
    sums = series.cumsum(1)
    total = sums[:, -1:]
    difference = sums[:, :-1] / left - (total - sums[:, :-1]) / (n - left)
    depth: Floats = np.abs(difference) / np.sqrt(1 / left + 1 / (n - left))
    return depth
