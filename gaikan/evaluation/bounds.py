"""Shop-floor rates from counts: exact bounds, and what a test set can show.

Parts are counted for one installed network (one seed). S networks judge the same n parts, so their
S x n answers are not independent trials: bounds are per network, never on counts pooled over seeds.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gaikan.evaluation.mean_squares import Floats, Groups, MeanSquares, Units, least_effect
from gaikan.evaluation.statistics import LEVEL, estimate, exact_high
from gaikan.language.words import Words, say


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
    `LEAST_SPREAD` (`least_effect`). One lot alone says nothing: 1.
    """
    return Lots.of(counts).bounds(counts.sums.sum((1, 2)), level)


@dataclass(frozen=True)
class Lots:
    """What of lots decides how far they bound M rates: see `upper_bounds_over_groups`."""

    number: int
    parts: float  # in all of them
    together: float  # parts in a part's own lot, on average over parts
    effect: Floats  # (M,) the design effect that events show; 0 where they do not vary

    @classmethod
    def of(cls, counts: Units) -> "Lots":
        """From events (M, 1, G) in G lots."""
        n, estimated = float(counts.sizes.sum()), estimate(MeanSquares.of(counts))
        alone = estimated.mean * (1 - estimated.mean) / n  # variance, were parts independent
        varies = (estimated.error > 0) & (alone > 0)
        effect = np.where(varies, np.square(estimated.error) / np.where(varies, alone, 1), 0)
        return cls(len(counts.sizes), n, float(np.square(counts.sizes).sum() / n), effect)

    def bounds(self, events: Floats, level: float = LEVEL) -> Floats:
        """Upper bounds (M,) of rates seen as `events` (M,), which may be fractions."""
        if self.number < 2:
            return np.ones_like(events)
        n, rate = self.parts, events / self.parts
        seen = np.where(events > 0, self.effect, 0)
        least = least_effect(self.together, (events + 0.5) / (n + 1))
        student = float(stdtrit(n - 1, level) / stdtrit(self.number - 1, level)) ** 2
        n_free = np.minimum(n, n / np.maximum(seen, least) * student)
        return np.maximum(exact_high(rate * n_free, n_free, level), exact_high(events, n, level))

    def times(self, number: int) -> "Lots":
        """So many lots instead, like these."""
        return replace(self, number=number, parts=self.parts * number / self.number)


def needed(target: float, rate: float = 0.0, lots: Lots | None = None) -> int | None:
    """How many parts show that a rate is at most `target` when `rate` of them err; None: no number.

    The smallest number, to within 1 %, whose upper bound does not exceed `target`: of independent
    parts, or with `lots` of lots like these.
    """
    if not 0 <= rate < target < 1:
        return None

    def bound(number: int) -> float:
        if lots is None:
            return upper_bound(round(rate * number), number)
        more = lots.times(number)
        return float(more.bounds(np.array([rate * more.parts]))[0])

    high = 1
    while bound(high) > target:
        high *= 2
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        if bound(middle) > target:
            low = middle
        else:
            high = middle
    return high


def verdict(errors: NDArray[np.bool_], groups: Groups | None, target: float) -> Words:
    """Whether the rate of `errors` (n,) of defects is shown to be at most `target`, in words."""
    events, n = int(errors.sum()), len(errors)
    if upper_bound_over_groups(errors, groups) <= target:
        return say("target_shown")
    lots, seen, what = None, say("target_defects", n=n), "target_needs_parts"
    if groups is not None and n:
        lots = Lots.of(Units.of(errors[None, None, :], groups))
        seen = say("target_lots" if lots.number > 1 else "target_lot", n=n, lots=lots.number)
        what = "target_needs_lots"
    if upper_bound_over_groups(np.zeros_like(errors), groups) > target:
        without = say(what, n=needed(target, 0, lots))
        return say("target_out_of_reach", seen=seen, needed=without)
    if events / n >= target:
        return say("target_missed", events=events, n=n)
    number = say(what, n=needed(target, events / n, lots))
    return say("target_not_shown", events=events, seen=seen, needed=number)
