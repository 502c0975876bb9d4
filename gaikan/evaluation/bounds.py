"""Shop-floor rates from counts: exact bounds, what a test set can show, and what errors cost.

Parts are counted for one installed network (one seed). S networks judge the same n parts, so their
S x n answers are not independent trials: bounds are per network, never on counts pooled over seeds.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.mean_squares import Floats, Groups, MeanSquares, Units
from gaikan.evaluation.statistics import LEVEL, estimate, exact_high


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


def upper_bounds_over_groups(counts: Units, level: float) -> Floats:
    """Upper bounds (M,) of M rates, each from its events (M, 1, G) in G groups of parts.

    Parts of one lot err together, so n parts of few lots count as fewer independent parts: n is
    divided by the design effect, and by the square of how far Student's quantile for G - 1
    exceeds that for n - 1 (Korn and Graubard, 1998, "Confidence intervals for proportions with
    small expected number of positive counts"); never more than n. Where no lot shows an event,
    or all do, lots cannot be seen to differ, and n stands as it is.
    """
    n, n_groups = counts.sizes.sum(), len(counts.sizes)
    events = counts.sums.sum((1, 2))
    exact = exact_high(events, n, level)
    mixed = (events > 0) & (events < n)
    if n_groups < 2:
        return np.where(mixed, 1.0, exact)  # one lot says nothing of the next
    estimated = estimate(MeanSquares.of(counts))
    rate, error = estimated.mean, estimated.error
    with np.errstate(divide="ignore", invalid="ignore"):
        n_free = np.where(error > 0, np.minimum(n, rate * (1 - rate) / error**2), n)
    n_free = np.minimum(n, n_free * (stdtrit(n - 1, level) / stdtrit(n_groups - 1, level)) ** 2)
    return np.where(mixed, np.maximum(exact_high(rate * n_free, n_free, level), exact), exact)


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
