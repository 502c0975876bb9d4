"""Shop-floor rates from counts: exact bounds, what a test set can show, and what errors cost.

Parts are counted for one installed network (one seed). S networks judge the same n parts, so their
S n answers are no S n independent trials: bounds are per network, never on counts pooled over
seeds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest, t

from gaikan.config import FactoryConfig
from gaikan.statistics import LEVEL, MeanSquares, Units, estimate


class Bounds(NamedTuple):
    """A two-sided interval of a rate."""

    low: float
    high: float


def upper_bound(events: int, n: int, level: float = LEVEL) -> float:
    """Exact one-sided upper bound of a rate seen as `events` in `n` independent parts.

    Clopper and Pearson (1934); 1.0 where n is 0. With no event it is about 3 / n at 95 %.
    """
    if n == 0:
        return 1.0
    interval = binomtest(events, n, alternative="less").proportion_ci(level, method="exact")
    return float(interval.high)


def exact_interval(events: int, n: int) -> Bounds:
    """Exact two-sided 95 % interval of `events` in `n` independent parts; (0, 1) where n is 0."""
    if n == 0:
        return Bounds(0.0, 1.0)
    interval = binomtest(events, n).proportion_ci(LEVEL, method="exact")
    return Bounds(float(interval.low), float(interval.high))


def upper_bound_over_groups(
    events: NDArray[np.bool_], groups: NDArray[np.str_] | None, level: float = LEVEL
) -> float:
    """Upper bound of the rate at which `events` (n,) are true, for parts of new groups.

    Without groups it is `upper_bound`. Parts of one lot err together, so n parts of few lots are
    worth fewer independent ones: n is divided by the design effect, and by the square of how far
    Student's quantile for G - 1 exceeds that for n - 1 (Korn and Graubard, 1998, "Confidence
    intervals for proportions with small expected number of positive counts"); never more than n.
    Where no lot shows an event, or all do, lots cannot be seen to differ, and n stands as it is.
    """
    n, seen = len(events), int(events.sum())
    if groups is None or n == 0 or seen in (0, n):
        return upper_bound(seen, n, level)
    found = estimate(MeanSquares.of(Units.of(events[None, None, :], groups)))
    n_groups, rate, error = len(np.unique(groups)), seen / n, float(found.error[0])
    if n_groups < 2:
        return 1.0  # one lot says nothing of the next
    worth = float(n) if error == 0 else min(n, rate * (1 - rate) / error**2)
    worth = min(n, worth * float(t.ppf(level, n - 1) / t.ppf(level, n_groups - 1)) ** 2)
    return max(
        float(beta.ppf(level, rate * worth + 1, worth - rate * worth)), upper_bound(seen, n, level)
    )


def parts_needed(target: float, rate: float = 0.0) -> int | None:
    """How many parts show a rate to be at most `target`, if `rate` of them err; None if never.

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
    """Expected cost of 1,000 parts at the factory's defect rate; None where it is not told."""
    if factory.defect_rate is None:
        return None
    assert factory.escape_cost is not None  # `FactoryConfig` wants all three or none
    assert factory.overkill_cost is not None
    escapes = 1000 * factory.defect_rate * escape_rate
    overkills = 1000 * (1 - factory.defect_rate) * overkill_rate
    return escapes * factory.escape_cost + overkills * factory.overkill_cost
