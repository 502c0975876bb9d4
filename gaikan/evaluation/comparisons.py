"""Which of several variants are better, compared on the same seeds and the same test parts."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaincinv

from gaikan.evaluation.mean_squares import UPPER, Floats, Groups, MeanSquares, Units
from gaikan.evaluation.statistics import LEVEL, Estimate, estimate, moderate


@dataclass(frozen=True)
class Comparisons:
    """All P = V (V - 1) / 2 pairs of variants, each compared on the same seeds and parts."""

    first: NDArray[np.int64]  # (P,) index of a variant
    second: NDArray[np.int64]  # (P,)
    difference: Floats  # (P,) share of the first minus share of the second
    low: Floats  # (P,) 95 % interval of this difference alone
    high: Floats
    p: Floats  # (P,) two-sided, of this pair alone
    p_holm: Floats  # (P,) corrected over all pairs
    first_only: NDArray[np.int64]  # (P,) parts that only the first has right, summed over seeds
    second_only: NDArray[np.int64]
    n_variants: int

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Pairs (P,) that differ at 5 % over the whole grid; an unknown p does not differ."""
        return self.p_holm < 1 - LEVEL

    @property
    def may_be_best(self) -> NDArray[np.bool_]:
        """Which variants (V,) may be the truly best: see `among_best`."""
        return among_best(self.difference, self.p, self.n_variants)


def among_best(difference: Floats, p: Floats, n_variants: int) -> NDArray[np.bool_]:
    """Which of V variants (V,) may be the truly best; it is among these with 95 % confidence.

    Of all pairs in the order of `np.triu_indices`: `difference` (P,), first less second, and `p`
    (P,), two-sided. Multiple comparisons with the best (Hsu, 1996, Multiple Comparisons, section
    4.1): a variant is left out where another one is better by a one-sided test. Of the truly
    best one only its V - 1 comparisons can go wrong, and in one direction alone, so Bonferroni's
    correction is over those, not over all pairs. An unknown p leaves nobody out.
    """
    first, second = np.triu_indices(n_variants, 1)
    worse = np.where(difference > 0, second, first)
    shown = (difference != 0) & (p / 2 * (n_variants - 1) < 1 - LEVEL)
    may = np.ones(n_variants, bool)
    may[worse[shown]] = False
    return may


def compare(correct: NDArray[np.bool_], groups: Groups | None) -> Comparisons:
    """Compares all pairs of variants of `correct` (V, S, N).

    One seed and no groups: McNemar's exact test (independent parts, two fixed networks). Else
    Student's t on the paired differences, with the standard error of `estimate`, because parts of
    one lot and networks of one seed are no independent trials; mean squares are moderated over
    all pairs. Where every unit shows the same difference there is no error to divide by, and the
    weakest seed's McNemar test stands in. Holm's correction is over all pairs and not only those
    with the best: which is best was seen in the same data.
    """
    n_variants, n_seeds, _ = correct.shape
    first, second = np.triu_indices(n_variants, 1)
    if not len(first):
        none, no_parts = np.zeros(0), np.zeros(0, np.int64)
        return Comparisons(first, second, none, none, none, none, none, no_parts, no_parts, 1)
    only = _only_one_right(correct)
    paired = estimate_pairs(_squares_of_pairs(Units.of(correct, groups), correct.sum(1), only))
    p = paired.p_values()
    exact = n_seeds == 1 and groups is None
    for i in range(len(p)) if exact else np.flatnonzero((paired.error == 0) & (paired.mean != 0)):
        p[i] = max(mcnemar(*seed) for seed in only[:, i].T.tolist())
    half = paired.half_width()
    low, high = np.maximum(paired.mean - half, -1), np.minimum(paired.mean + half, 1)
    wins = only.sum(2)
    return Comparisons(
        first, second, paired.mean, low, high, p, holm(p), wins[0], wins[1], n_variants
    )


def _only_one_right(correct: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Parts that only the first of a pair has right, and only the second, (2, P, S)."""
    counts = []
    for a in range(len(correct) - 1):  # all pairs at once would be large
        one, others = correct[[a]], correct[a + 1 :]
        counts.append(np.stack([(one & ~others).sum(2), (~one & others).sum(2)]))
    return np.concatenate(counts, axis=1)


def _squares_of_pairs(
    units: Units, seeds_right: NDArray[np.int64], only: NDArray[np.int64]
) -> MeanSquares:
    """Of the P differences, from how many seeds (V, N) have each part right, and `only`."""
    squares = only.sum((0, 2)).astype(np.float64)
    blocks, start = [], 0
    for a in range(len(seeds_right) - 1):
        sums = units.sums[[a]] - units.sums[a + 1 :]
        apart = (seeds_right[[a]] - seeds_right[a + 1 :]).astype(np.float64)
        own = squares[start : start + len(sums)]
        differences = Units(sums, units.sizes, own, np.einsum("pn,pn->p", apart, apart))
        blocks.append(MeanSquares.of(differences))
        start += len(sums)
    return MeanSquares.joined(blocks)


def estimate_pairs(squares: MeanSquares) -> Estimate:
    """Of P differences, their mean squares of seeds and of units moderated over all of them.

    How unlike they are is taken at its upper 90 % limit: P pairs of V variants show it as V - 1
    independent variances would. Else, with 3 lots, the truly best of variants that are unlike is
    lost in 9 % of simulations, not in 5 %.
    """
    n_seeds, n_units = squares.shape
    n_pairs = len(squares.mean)
    if n_units < 2 or not n_pairs:
        return estimate(squares)
    others = (np.sqrt(1 + 8 * n_pairs) - 1) / 2
    caution = others / float(2 * gammaincinv(others / 2, 1 - UPPER))
    of_units, units_freedom = moderate(squares.of_units, n_units - 1, caution)
    of_seeds, seeds_freedom = squares.of_seeds, 0.0
    if n_seeds > 1:
        of_seeds, seeds_freedom = moderate(squares.of_seeds, n_seeds - 1, caution)
    moderated = replace(squares, of_seeds=of_seeds, of_units=of_units)
    return estimate(moderated, (seeds_freedom, units_freedom))


def compare_means(values: Floats, groups: Groups | None) -> Estimate:
    """Differences, first less second, of all pairs of the means of `values` (V, S, N).

    As in `compare`, of what is no plain right or wrong, such as a cost; V is at least 2.
    """
    blocks = [  # all pairs at once would be large
        MeanSquares.of(Units.of(values[[a]] - values[a + 1 :], groups))
        for a in range(len(values) - 1)
    ]
    return estimate_pairs(MeanSquares.joined(blocks))


def mcnemar(first_only: int, second_only: int) -> float:
    """McNemar's exact two-sided p that two networks are equally good.

    Of the parts that only one of the two has right, each should have half. Valid for independent
    parts and two fixed networks.
    """
    discordant = first_only + second_only
    fewer = min(first_only, second_only)
    return min(1.0, 2 * float(bdtr(fewer, discordant, 0.5))) if discordant else 1.0


def holm(p: Floats) -> Floats:
    """Holm's (1979) corrected p values (P,), at most 1; NaN stays NaN and counts as a test."""
    order = np.argsort(p, kind="stable")  # NaN last
    steps = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(steps))
    return corrected


def difference(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: Groups | None
) -> tuple[float, float, float]:
    """(difference, low, high) of the shares of two (S, N) arrays over the same seeds and parts."""
    units = Units.of((first.astype(np.float64) - second)[None], groups)
    estimated = estimate(MeanSquares.of(units))
    mean, half = float(estimated.mean[0]), float(estimated.half_width()[0])
    return mean, max(mean - half, -1.0), min(mean + half, 1.0)
