"""Intervals of shares, and errors of means, over seeds and test parts together.

Every figure here is a mean over S trained networks (seeds) and N test parts, which come in groups
(lots, boards) or one by one. Both are samples: another seed and another lot give another figure.

Distributions are those of scipy.special: scipy.stats takes a second to import, which is half of
what `gaikan pick` has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, digamma, ndtri, polygamma, stdtr, stdtrit

from gaikan.evaluation.mean_squares import Floats, Groups, MeanSquares, Units, least_effect

LEVEL = 0.95
_ROUNDING = 1e-9  # a standard error below it is one of 0


@dataclass(frozen=True)
class Estimate:
    """Means (M,), their standard errors, and the degrees of freedom of those errors."""

    mean: Floats
    error: Floats  # NaN where all parts are of one group
    freedom: Floats

    def half_width(self, level: float = LEVEL) -> Floats:
        """Half the width (M,) of the interval of that level by Student's t."""
        return np.asarray(stdtrit(self.freedom, (1 + level) / 2) * self.error)

    def p_values(self) -> Floats:
        """Two-sided p (M,) of a mean of 0; 1 where mean and error are 0, NaN without an error."""
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.asarray(2 * stdtr(self.freedom, -np.abs(self.mean) / self.error))
        return np.where((self.mean == 0) & (self.error == 0), 1.0, p)


def estimate(squares: MeanSquares, freedoms: tuple[float, float] | None = None) -> Estimate:
    """Standard errors that hold for new seeds and new units.

    The mean squares of seeds and of units, less that of their interaction, are the variance of
    the mean; a negative component counts as 0. Degrees of freedom by Satterthwaite (1946) from
    S - 1 and G - 1, or `freedoms` where the mean squares are moderated.
    """
    n_seeds, n_units = squares.shape
    if n_units < 2:
        return Estimate(squares.mean, squares.of_units, np.ones(len(squares.mean)))
    of_seeds, of_units = freedoms or (n_seeds - 1, n_units - 1)
    total, weight = squares.of_units, np.square(squares.of_units) / of_units
    least, most = of_units, of_units
    if n_seeds > 1:
        either = np.maximum(squares.of_seeds, squares.of_units)
        total = np.maximum(squares.of_seeds + squares.of_units - squares.of_rest, either)
        weight = weight + np.square(squares.of_seeds) / of_seeds
        least, most = min(of_seeds, of_units), of_seeds + of_units
    seen = weight > 0  # else nothing varies
    freedom = np.where(seen, np.square(total) / np.where(seen, weight, 1), of_units)
    freedom = np.clip(freedom, least, most)
    return Estimate(squares.mean, np.sqrt(total / (n_seeds * n_units)), freedom)


def moderate(variances: Floats, freedom: int, caution: float = 1.0) -> tuple[Floats, float]:
    """Variances (M,), each drawn towards what all have in common, and their degrees of freedom.

    Empirical Bayes (Smyth, 2004, "Linear models and empirical Bayes methods", section 6.2): with
    three seeds a variance has 2 degrees of freedom and is often far too small by chance; how
    much the M of them scatter tells how much each is to be believed. No more degrees of freedom
    are gained than V - 1 variants have, of which the M = V (V - 1) / 2 pairs were made. With
    `caution` the scatter that was seen is taken as so many times as large.
    """
    seen = variances[variances > 0]
    if len(seen) < 3:
        return variances, float(freedom)
    half = freedom / 2
    logs = np.log(seen) - digamma(half) + np.log(half)
    scatter = caution * logs.var(ddof=1) - polygamma(1, half)
    limit = freedom * (np.sqrt(1 + 8 * len(seen)) - 1) / 2
    prior = limit
    if scatter > polygamma(1, limit / 2):
        prior = 2 * inverse_trigamma(scatter)
    common = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    shrunk: Floats = (prior * common + freedom * variances) / (prior + freedom)
    return shrunk, prior + freedom


def inverse_trigamma(value: float) -> float:
    """The x > 0 whose trigamma function is `value` > 0, by Newton's method (Smyth, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step < 1e-10 * x:
            break
    return x


@dataclass(frozen=True)
class Intervals:
    """Shares (V,) with the bounds of their 95 % intervals."""

    mean: Floats
    low: Floats  # NaN where all parts are of one group
    high: Floats


def intervals(correct: NDArray[np.bool_], groups: Groups | None) -> Intervals:
    """95 % intervals of the share of `correct` (V, S, N) for V variants, S seeds, N parts.

    The shares that the one seen does not contradict (Wilson, 1927): they are within Student's
    quantile times their standard error, which is that of `estimate`, less as a share nears 0 or
    1, so that a bound stays inside. No narrower than if all S x N answers were independent.
    Where nothing varies (no part wrong, or none right) groups are taken to differ as much as
    `least_effect` says, and Student's quantile is that of so few groups: of 30 parts in 3 equal
    groups, all right, the low bound is 50 %.
    """
    units = Units.of(correct, groups)
    shares = estimate(MeanSquares.of(units))
    mean, n_seeds, n_parts = shares.mean, correct.shape[1], correct.shape[2]
    squared = np.square(stdtrit(shares.freedom, (1 + LEVEL) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_part = squared * np.square(shares.error) / (mean * (1 - mean))
    least = np.square(ndtri((1 + LEVEL) / 2)) / (n_seeds * n_parts)  # of independent answers
    varies = shares.error > _ROUNDING
    together = np.square(units.sizes).sum() / n_parts
    alike = squared / n_parts * least_effect(together, np.array([0.5 / (n_parts + 1)]))
    by_part = np.where(varies, np.maximum(by_part, least), alike)
    by_part = np.where(np.isnan(shares.error), np.nan, by_part)
    half = np.sqrt(by_part * mean * (1 - mean) + np.square(by_part / 2)) / (1 + by_part)
    centre = (mean + by_part / 2) / (1 + by_part)
    low, high = np.clip(centre - half, 0, mean), np.clip(centre + half, mean, 1)
    return Intervals(mean, low, high)


def exact_high(events: int | NDArray[np.int64] | Floats, n: float | Floats, level: float) -> Floats:
    """Clopper and Pearson's (1934) one-sided upper bounds of rates seen as `events` of `n` parts.

    Both may be fractions, of parts that are worth fewer independent ones.
    """
    seen = np.asarray(events, np.float64)
    left = n - seen
    high = np.asarray(betaincinv(seen + 1, np.where(left > 0, left, 1.0), level), np.float64)
    return np.where(left > 0, high, 1.0)
