"""Ranks of variants over data sets, and which of them can be told apart.

After Demšar (2006), "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
Machine Learning Research 7, sections 3.2.2 and 3.2.4. Each data set counts once, whatever its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f, friedmanchisquare, permutation_test, rankdata, studentized_range

from gaikan.evaluation.statistics import LEVEL

Floats = NDArray[np.float64]

PERMUTATIONS = 9999
FEWEST_VARIANTS, FEWEST_DATA_SETS = 3, 2


def ranks(accuracy: Floats) -> Floats:
    """Ranks (V, N) of V variants on N data sets: 1 is the most accurate, ties share their mean."""
    # Means over seeds that are equal may differ in their last bit.
    return np.asarray(rankdata(-accuracy.round(9), axis=0), np.float64)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all variants rank alike, and Iman and Davenport's correction of it."""

    chi2: float  # corrected for ties, V - 1 degrees of freedom
    p_chi2: float
    f: float  # infinite where all data sets rank the variants alike
    p_f: float
    freedom: tuple[int, int]  # of `f`
    p: float  # by permutation: holds for few variants and data sets too


def friedman(ranked: Floats) -> Friedman:
    """The test of ranks (V, N), V at least 3 and N at least 2.

    `p` is from all rearrangements of the ranks within data sets where there are few, else from
    9,999 random ones. The other two are approximations, poor below some 10 data sets or 5 variants.
    """
    n_variants, n = ranked.shape
    freedom = (n_variants - 1, (n_variants - 1) * (n - 1))
    if (ranked == ranked[:1]).all():  # every data set ties all of them
        return Friedman(0.0, 1.0, 0.0, 1.0, freedom, 1.0)
    chi2, p_chi2 = friedmanchisquare(*ranked)
    denominator = n * (n_variants - 1) - chi2
    ratio = (n - 1) * chi2 / denominator if denominator > 1e-9 * chi2 else np.inf
    permuted = permutation_test(
        tuple(ranked),
        _squared_rank_sums,
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    p_f = f.sf(ratio, *freedom)
    return Friedman(float(chi2), float(p_chi2), float(ratio), float(p_f), freedom, permuted.pvalue)


def _squared_rank_sums(*ranked: Floats, axis: int) -> Any:
    """The sum of squared rank sums, which grows as Friedman's statistic does."""
    return sum(np.square(variant.sum(axis=axis)) for variant in ranked)


def critical_difference(n_variants: int, n_data_sets: int, level: float = LEVEL) -> float:
    """Nemenyi's critical difference: mean ranks at least this far apart differ, over all pairs.

    Demšar's equation after (5), q sqrt(k (k + 1) / 6 N), q being the studentized range's quantile
    for infinite degrees of freedom divided by the square root of 2.
    """
    q = studentized_range.ppf(level, n_variants, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_variants * (n_variants + 1) / (6 * n_data_sets)))


def joined(mean_ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """Longest stretches (first, last) of ascending ranks that lie within `difference`.

    A variant that differs from its neighbours is in none.
    """
    stretches: list[tuple[int, int]] = []
    for first, rank in enumerate(mean_ranks):
        within = [i for i, other in enumerate(mean_ranks) if other - rank < difference]
        last = within[-1]
        if last > first and (not stretches or last > stretches[-1][1]):
            stretches.append((first, last))
    return stretches
