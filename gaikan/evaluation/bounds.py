"""Shop-floor rates from counts: exact bounds, what a test set can show, and what errors cost.

Parts are counted for one installed network (one seed). S networks judge the same n parts, so their
S x n answers are not independent trials: bounds are per network, never on counts pooled over seeds.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, owens_t, stdtrit

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.mean_squares import Floats, Groups, MeanSquares, Units
from gaikan.evaluation.statistics import LEVEL, estimate, exact_high

LEAST_SPREAD = 0.6  # of margins between lots, assumed at least; in deviations within a lot


def upper_bound(events: int, n: int, level: float = LEVEL) -> float:
    """Exact one-sided upper bound of a rate seen as `events` in `n` independent parts.

    Clopper and Pearson (1934); 1.0 where n is 0. With no event it is about 3 / n at 95 %.
    """
    return float(exact_high(events, n, level))


def upper_bound_over_groups(
    events: NDArray[np.bool_], groups: Groups | None, level: float = LEVEL
) -> float:
    """Upper bound of the rate at which `events` (n,) are true, for parts of new groups.

    One rate of `upper_bounds_over_groups`; without groups, `upper_bound`.
    """
    if groups is None or not len(events):
        return upper_bound(int(events.sum()), len(events), level)
    return float(upper_bounds_over_groups(Units.of(events[None, None, :], groups), level)[0])


def lower_bound_over_groups(events: NDArray[np.bool_], groups: Groups | None) -> float:
    """Lower 95 % bound of the rate at which `events` (n,) are true, for parts of new groups."""
    return 1 - upper_bound_over_groups(~events, groups)


def upper_bounds_over_groups(counts: Units, level: float) -> Floats:
    """Upper bounds (M,) of M rates, each from its events (M, 1, G) in G groups of parts.

    Parts of one lot err together, so n parts of few lots count as fewer independent parts: n is
    divided by the design effect, and by the square of how far Student's quantile for G - 1
    exceeds that for n - 1 (Korn and Graubard, 1998, "Confidence intervals for proportions with
    small expected number of positive counts"); never more than n. Few events cannot show how much
    lots differ, so the design effect is at least that of lots whose margins differ by
    `LEAST_SPREAD` (Kish, 1965, Survey Sampling, section 5.4). One lot alone says nothing: 1.
    """
    n, n_groups = counts.sizes.sum(), len(counts.sizes)
    events = counts.sums.sum((1, 2))
    exact = exact_high(events, n, level)
    if n_groups < 2:
        return np.ones_like(exact)
    estimated = estimate(MeanSquares.of(counts))
    rate, error = estimated.mean, estimated.error
    with np.errstate(divide="ignore", invalid="ignore"):
        n_free = np.where(error > 0, np.minimum(n, rate * (1 - rate) / error**2), n)
    parts_a_lot = np.square(counts.sizes).sum() / n
    correlation = least_correlation((events + 0.5) / (n + 1))
    n_free = np.minimum(n_free, n / (1 + (parts_a_lot - 1) * correlation))
    n_free = np.minimum(n, n_free * (stdtrit(n - 1, level) / stdtrit(n_groups - 1, level)) ** 2)
    return np.maximum(exact_high(rate * n_free, n_free, level), exact)


def least_correlation(rate: Floats) -> Floats:
    """The correlation (M,) of errors within a lot at a rate (M,) in 0..1, exclusive.

    Of two parts whose normal margins share the lot's part of the variance: the chance that both
    err is the bivariate normal's (Owen, 1956, "Tables for computing bivariate normal
    probabilities", equation 2.1).
    """
    shared = LEAST_SPREAD**2 / (1 + LEAST_SPREAD**2)
    border = ndtri(rate)
    both = ndtr(border) - 2 * owens_t(border, np.sqrt((1 - shared) / (1 + shared)))
    return np.asarray((both - rate**2) / (rate * (1 - rate)))


def parts_needed(target: float, rate: float = 0.0) -> int | None:
    """How many parts show that a rate is at most `target` when `rate` of them err; None: no number.

    The smallest n whose exact upper bound, with round(rate n) events, does not exceed `target`,
    to within 1 %.
    """
    if not 0 <= rate < target < 1:
        return None
    high = 1
    while upper_bound(round(rate * high), high) > target:
        high *= 2
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        if upper_bound(round(rate * middle), middle) > target:
            low = middle
        else:
            high = middle
    return high


def verdict(events: int, n: int, target: float, bound: float, parts: str = "defects") -> str:
    """Whether a rate is shown to be at most `target` by its upper `bound`, in words."""
    if bound <= target:
        return "shown"
    if upper_bound(0, n) > target:
        return f"not demonstrable with {n} {parts}; about {parts_needed(target)} needed"
    if n and events / n >= target:
        return f"missed: {events} of {n}"
    needed = parts_needed(target, events / n)
    return f"not shown by {events} in {n} {parts}; about {needed} needed at this rate"


def cost_per_1000(escape_rate: float, overkill_rate: float, factory: FactoryConfig) -> float | None:
    """Expected cost of 1,000 parts at the factory's defect rate; None: not configured."""
    if factory.defect_rate is None:
        return None
    assert factory.escape_cost is not None  # `FactoryConfig` wants all three or none
    assert factory.overkill_cost is not None
    escapes = 1000 * factory.defect_rate * escape_rate
    overkills = 1000 * (1 - factory.defect_rate) * overkill_rate
    return escapes * factory.escape_cost + overkills * factory.overkill_cost
