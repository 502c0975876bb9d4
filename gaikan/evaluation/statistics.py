"""Intervals and paired comparisons over seeds and test parts together.

Every figure here is a mean over S trained networks (seeds) and N test parts, which come in groups
(lots, boards) or one by one. Both are samples: another seed and another lot give another figure.

Distributions are those of scipy.special: scipy.stats takes a second to import, which is half of
what `gaikan pick` has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import (
    bdtr,
    betaincinv,
    digamma,
    expit,
    logit,
    ndtri,
    polygamma,
    stdtr,
    stdtrit,
)

RESAMPLES = 2000
LEVEL = 0.95
_COUNTS = 2**25  # at most so many counts of the bootstrap are in memory at once

Floats = NDArray[np.float64]
Groups = NDArray[np.str_] | NDArray[np.int64]  # one per part; parts of one name are one group


@dataclass(frozen=True)
class Units:
    """Sums of values over independently drawn units: groups where there are any, else parts."""

    sums: Floats  # (V, S, G)
    sizes: Floats  # (G,) parts in each unit

    @classmethod
    def of(cls, values: NDArray[np.bool_] | Floats, groups: Groups | None) -> "Units":
        """From values (V, S, N) of N parts in `groups` (N,)."""
        if groups is None:
            return cls(values.astype(np.float64), np.ones(values.shape[2]))
        unit = np.unique(groups, return_inverse=True)[1]
        order = np.argsort(unit, kind="stable")
        sizes = np.bincount(unit)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        sums = np.add.reduceat(values[:, :, order].astype(np.float64), starts, axis=2)
        return cls(sums, sizes.astype(np.float64))

    @property
    def mean(self) -> Floats:
        """Mean over seeds and parts, (V,)."""
        mean: Floats = self.sums.sum((1, 2)) / (self.sums.shape[1] * self.sizes.sum())
        return mean


@dataclass(frozen=True)
class MeanSquares:
    """Analysis of variance of M means over S seeds and G units; each array is (M,).

    Two-way crossed random effects, one value in each cell (Searle, Casella and McCulloch,
    Variance Components, 1992, section 4.3). The mean is a ratio (sums to parts) and linearised
    at that ratio (Cochran, Sampling Techniques, 1977, section 6.3).
    """

    mean: Floats
    of_seeds: Floats  # 0 with one seed
    of_units: Floats  # NaN with one unit: nothing shows how units differ
    of_rest: Floats  # interaction of seeds and units
    shape: tuple[int, int]  # S, G

    @classmethod
    def of(cls, units: Units) -> "MeanSquares":
        """From sums over units."""
        n_seeds, n_units = units.sums.shape[1:]
        mean = units.mean
        if n_units < 2:
            nothing = np.zeros(len(mean))
            return cls(mean, nothing, nothing + np.nan, nothing, (n_seeds, n_units))
        residual = units.sums - mean[:, None, None] * units.sizes
        residual *= n_units / units.sizes.sum()
        by_seed, by_unit = residual.mean(2), residual.mean(1)
        interaction = residual - by_seed[:, :, None] - by_unit[:, None, :]
        freedom = max(1, n_seeds - 1)
        return cls(
            mean,
            n_units * np.square(by_seed).sum(1) / freedom if n_seeds > 1 else 0 * mean,
            n_seeds * np.square(by_unit).sum(1) / (n_units - 1),
            np.square(interaction).sum((1, 2)) / (freedom * (n_units - 1)),
            (n_seeds, n_units),
        )


@dataclass(frozen=True)
class Estimate:
    """Means (M,), their standard errors, and the degrees of freedom of those errors."""

    mean: Floats
    error: Floats  # NaN where all parts are of one group
    freedom: Floats

    def half_width(self) -> Floats:
        """Half the width (M,) of the 95 % interval by Student's t."""
        return np.asarray(stdtrit(self.freedom, (1 + LEVEL) / 2) * self.error)

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
    freedom = np.square(total) / np.where(weight > 0, weight, 1)
    freedom = np.clip(freedom, least, most)
    return Estimate(squares.mean, np.sqrt(total / (n_seeds * n_units)), freedom)


def moderate(variances: Floats, freedom: int) -> tuple[Floats, float]:
    """Variances (M,), each drawn towards what all have in common, and their degrees of freedom.

    Empirical Bayes (Smyth, 2004, "Linear models and empirical Bayes methods", section 6.2): with
    three seeds a variance has 2 degrees of freedom and is often far too small by chance; how
    much the M of them scatter tells how much each is to be believed. No more degrees of freedom
    are gained than V - 1 variants have, of which the M = V (V - 1) / 2 pairs were made.
    """
    from scipy.optimize import brentq  # slow to import, and one seed never comes here

    seen = variances[variances > 0]
    if len(seen) < 3:
        return variances, float(freedom)
    half = freedom / 2
    logs = np.log(seen) - digamma(half) + np.log(half)
    scatter = logs.var(ddof=1) - polygamma(1, half)
    limit = freedom * (np.sqrt(1 + 8 * len(seen)) - 1) / 2
    prior = limit
    if scatter > polygamma(1, limit / 2):
        prior = 2 * brentq(lambda x: polygamma(1, x) - scatter, 1e-6, limit / 2)
    common = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    shrunk: Floats = (prior * common + freedom * variances) / (prior + freedom)
    return shrunk, prior + freedom


@dataclass(frozen=True)
class Intervals:
    """Shares (V,) with the bounds of their 95 % intervals."""

    mean: Floats
    low: Floats  # NaN where all parts are of one group
    high: Floats


def resample(units: Units, rng: np.random.Generator) -> Floats:
    """Means of 2,000 hierarchical bootstrap resamples, (2000, V); all variants share the draws.

    Each draws seeds with replacement and, independently, units with replacement (whole groups,
    since parts of one lot succeed and fail together). With one seed only units are drawn. Counts
    instead of copies make it matrix products.
    """
    n_variants, n_seeds, n_units = units.sums.shape
    seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), RESAMPLES) / n_seeds
    at_once = max(1, _COUNTS // n_units)
    shares = []
    for start in range(0, RESAMPLES, at_once):
        times = min(at_once, RESAMPLES - start)
        drawn = rng.multinomial(n_units, np.full(n_units, 1 / n_units), times).astype(np.float64)
        sums = drawn @ units.sums.reshape(-1, n_units).T
        shares.append((sums / (drawn @ units.sizes)[:, None]).reshape(-1, n_variants, n_seeds))
    draws: Floats = np.einsum("bvs,bs->bv", np.concatenate(shares), seeds)
    return draws


def intervals(
    correct: NDArray[np.bool_], groups: Groups | None, rng: np.random.Generator
) -> Intervals:
    """95 % intervals of the share of `correct` (V, S, N) for V variants, S seeds, N parts.

    The hierarchical bootstrap's percentiles give the shape, on the log odds so that a bound stays
    in 0..1; their width is set to the standard error and Student quantile of `estimate`. Bare
    percentiles are too narrow with few groups or seeds (84 % coverage with 5 lots in simulation),
    and too wide where seeds err independently, because crossed resampling counts that error
    three times (Owen, 2007, "The pigeonhole bootstrap"). Without any spread (no part wrong, or
    none right) the bounds are Clopper and Pearson's for N parts: exact for independent parts.
    """
    units = Units.of(correct, groups)
    n_parts = correct.shape[2]
    shares = estimate(MeanSquares.of(units))
    draws = resample(units, rng)
    deviations = _log_odds(draws, n_parts) - _log_odds(shares.mean, n_parts)
    low, high = np.quantile(deviations, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    spread = draws.std(0) * ndtri((1 + LEVEL) / 2)
    wider = np.divide(shares.half_width(), spread, out=np.ones_like(spread), where=spread > 0)
    low = expit(_log_odds(shares.mean, n_parts) + wider * low)
    high = expit(_log_odds(shares.mean, n_parts) + wider * high)
    known = ~np.isnan(shares.error)
    for i in np.flatnonzero(known & ((shares.error == 0) | (spread == 0))):
        events, level = round(shares.mean[i] * n_parts), (1 + LEVEL) / 2
        low[i] = 1 - exact_high(n_parts - events, n_parts, level)
        high[i] = exact_high(events, n_parts, level)
    low, high = np.minimum(low, shares.mean), np.maximum(high, shares.mean)
    return Intervals(shares.mean, np.where(known, low, np.nan), np.where(known, high, np.nan))


def exact_high(events: int | NDArray[np.int64] | Floats, n: float | Floats, level: float) -> Floats:
    """Clopper and Pearson's (1934) one-sided upper bounds of rates seen as `events` of `n` parts.

    Both may be fractions, of parts that are worth fewer independent ones.
    """
    seen = np.asarray(events, np.float64)
    left = n - seen
    high = np.asarray(betaincinv(seen + 1, np.where(left > 0, left, 1.0), level), np.float64)
    return np.where(left > 0, high, 1.0)


def _log_odds(share: Floats, n: int) -> Floats:
    """Log odds with half a part added to either side, finite at 0 and 1 (Haldane, 1955)."""
    odds: Floats = logit((share * n + 0.5) / (n + 1))
    return odds


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

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Pairs (P,) that differ at 5 % over the whole grid; an unknown p does not differ."""
        return self.p_holm < 1 - LEVEL

    def tied_with(self, variant: int, n_variants: int) -> NDArray[np.bool_]:
        """Which variants (V,) cannot be told from `variant`; it is tied with itself."""
        tied = np.ones(n_variants, bool)
        apart = self.differs
        tied[self.second[apart & (self.first == variant)]] = False
        tied[self.first[apart & (self.second == variant)]] = False
        return tied


def compare(correct: NDArray[np.bool_], groups: Groups | None) -> Comparisons:
    """Compares all pairs of variants of `correct` (V, S, N).

    One seed and no groups: McNemar's exact test (independent parts, two fixed networks). Else
    Student's t on the paired differences, with the standard error of `estimate`, because parts of
    one lot and networks of one seed are no independent trials. The seeds' mean squares are
    moderated over all pairs. Where every unit shows the same difference there is no error to
    divide by, and the weakest seed's McNemar test stands in. Holm's correction is over all pairs
    and not only those with the best: which is best was seen in the same data.
    """
    n_variants, n_seeds, _ = correct.shape
    first, second = np.triu_indices(n_variants, 1)
    if not len(first):
        none, no_counts = np.zeros(0), np.zeros(0, np.int64)
        return Comparisons(first, second, none, none, none, none, none, no_counts, no_counts)
    blocks, counts = [], []
    units = Units.of(correct, groups)
    for a in range(n_variants - 1):  # all pairs at once would be large
        blocks.append(MeanSquares.of(Units(units.sums[[a]] - units.sums[a + 1 :], units.sizes)))
        one, others = correct[[a]], correct[a + 1 :]
        counts.append(np.stack([(one & ~others).sum(2), (~one & others).sum(2)]))
    only = np.concatenate(counts, axis=1)  # (2, P, S)
    paired = _moderated(blocks, n_seeds)
    p = paired.p_values()
    exact = n_seeds == 1 and groups is None
    for i in range(len(p)) if exact else np.flatnonzero((paired.error == 0) & (paired.mean != 0)):
        p[i] = max(mcnemar(*seed) for seed in only[:, i].T.tolist())
    half = paired.half_width()
    low, high = np.maximum(paired.mean - half, -1), np.minimum(paired.mean + half, 1)
    wins = only.sum(2)
    return Comparisons(first, second, paired.mean, low, high, p, holm(p), wins[0], wins[1])


def _moderated(blocks: list[MeanSquares], n_seeds: int) -> Estimate:
    columns = ("mean", "of_seeds", "of_units", "of_rest")
    mean, of_seeds, of_units, of_rest = (
        np.concatenate([getattr(block, column) for block in blocks]) for column in columns
    )
    n_units, freedoms = blocks[0].shape[1], None
    if n_seeds > 1:
        of_seeds, freedom = moderate(of_seeds, n_seeds - 1)
        freedoms = (freedom, n_units - 1.0)
    return estimate(MeanSquares(mean, of_seeds, of_units, of_rest, blocks[0].shape), freedoms)


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
