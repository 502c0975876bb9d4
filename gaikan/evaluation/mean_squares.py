"""What varies: seeds, lots and parts, and how much of the error of a mean each of them makes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri, owens_t

Floats = NDArray[np.float64]
Groups = NDArray[np.str_] | NDArray[np.int64]  # one per part; parts of one name are one group

UPPER = 0.9  # confidence of an upper limit that stands for how far units, or variances, differ
LEAST_SPREAD = 0.7  # of margins between lots, assumed at least; in deviations within a lot
_HALVINGS = 17


@dataclass(frozen=True)
class Units:
    """Sums of values over independently drawn units: groups where there are any, else parts."""

    sums: Floats  # (V, S, G)
    sizes: Floats  # (G,) parts in each unit
    squares: Floats  # (V,) of all values, summed
    squares_of_parts: Floats  # (V,) of each part's sum over seeds, summed

    @classmethod
    def of(cls, values: NDArray[np.bool_] | Floats, groups: Groups | None) -> "Units":
        """From values (V, S, N) of N parts in `groups` (N,)."""
        squares, squares_of_parts = np.zeros((2, len(values)))
        for i, own in enumerate(values):  # all at once would be large
            squares[i] = np.square(own, dtype=np.float64).sum()
            squares_of_parts[i] = np.square(own.sum(0, dtype=np.float64)).sum()
        if groups is None:
            sizes, sums = np.ones(values.shape[2]), values.astype(np.float64)
            return cls(sums, sizes, squares, squares_of_parts)
        unit = np.unique(groups, return_inverse=True)[1]
        order = np.argsort(unit, kind="stable")
        sizes = np.bincount(unit).astype(np.float64)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        sums = np.add.reduceat(values[:, :, order], starts, axis=2, dtype=np.float64)
        return cls(sums, sizes, squares, squares_of_parts)

    @classmethod
    def of_events(cls, counts: Floats, sizes: Floats) -> "Units":
        """From how many of the parts (G,) of each unit showed an event, (V, G); one seed."""
        events = counts.sum(1)
        return cls(counts[:, None, :], sizes, events, events)

    @property
    def mean(self) -> Floats:
        """Mean over seeds and parts, (V,)."""
        mean: Floats = self.sums.sum((1, 2)) / (self.sums.shape[1] * self.sizes.sum())
        return mean


@dataclass(frozen=True)
class MeanSquares:
    """Analysis of variance of M means over S seeds and G units; each array is (M,).

    Two-way crossed random effects, one value in each cell (Searle, Casella and McCulloch,
    Variance Components, 1992, section 4.3). Divided by S x G each is what it says of the
    variance of the mean over all parts; where units are unequal, as `_variance_over_units` says.
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
        mean, sizes = units.mean, units.sizes
        nothing = np.zeros(len(mean))
        if n_units < 2:
            return cls(mean, nothing, nothing + np.nan, nothing, (n_seeds, n_units))
        shares = units.sums / sizes
        of_unit = shares.mean(1, keepdims=True)
        inside = units.squares_of_parts / n_seeds**2 - (np.square(of_unit) * sizes).sum((1, 2))
        over_units = _variance_over_units(of_unit, sizes, inside, 1)
        over_seeds = over_rest = nothing
        if n_seeds > 1:
            over_seeds = (units.sums.sum(2) / sizes.sum()).var(1, ddof=1)
            rest = shares - of_unit
            inside = units.squares - units.squares_of_parts / n_seeds
            inside = inside - (np.square(rest) * sizes).sum((1, 2))
            over_rest = _variance_over_units(rest, sizes, inside, n_seeds - 1)
        return cls(
            mean,
            n_units * over_seeds,
            n_seeds * n_units * over_units,
            n_units * over_rest,
            (n_seeds, n_units),
        )

    @classmethod
    def joined(cls, blocks: Sequence["MeanSquares"]) -> "MeanSquares":
        """Those of several blocks of means over the same seeds and units."""
        return cls(
            np.concatenate([block.mean for block in blocks]),
            np.concatenate([block.of_seeds for block in blocks]),
            np.concatenate([block.of_units for block in blocks]),
            np.concatenate([block.of_rest for block in blocks]),
            blocks[0].shape,
        )


def effective_units(sizes: Floats | NDArray[np.int64]) -> float:
    """How many equally large units say as much of others as units of `sizes` (G,) (Kish, 1965)."""
    shares = sizes / sizes.sum()
    return float(1 / np.square(shares).sum())


def least_effect(together: float, rate: Floats) -> Floats:
    """The design effect (M,) of lots whose margins differ by `LEAST_SPREAD`, at error rates (M,).

    How many times the variance of a mean is that of independent parts, a part's own lot having
    `together` parts on average over parts (Kish, 1965, Survey Sampling, section 5.4).
    """
    effect: Floats = 1 + (together - 1) * _least_correlation(rate)
    return effect


def _least_correlation(rate: Floats) -> Floats:
    """The correlation (M,) of errors within a lot at a rate (M,) in 0..1, exclusive.

    Of two parts whose normal margins share the lot's part of the variance: the chance that both
    err is the bivariate normal's (Owen, 1956, "Tables for computing bivariate normal
    probabilities", equation 2.1).
    """
    shared = LEAST_SPREAD**2 / (1 + LEAST_SPREAD**2)
    border = ndtri(rate)
    both = ndtr(border) - 2 * owens_t(border, np.sqrt((1 - shared) / (1 + shared)))
    return np.asarray((both - rate**2) / (rate * (1 - rate)))


def _variance_over_units(shares: Floats, sizes: Floats, inside: Floats, freedom: int) -> Floats:
    """Variance (M,) of the means over parts of `shares` (M, R, G), for G units of `sizes` (G,).

    The R rows are `freedom` independent contrasts; `inside` (M,) is the sum of squares of parts
    within units. A unit of n parts varies by `between` + 1 / n times a common scale. Equal units
    all vary alike, and the scale is their plain variance. A unit that holds half of all parts
    shows how units differ no better than a small one, but counts for half of the mean: how far
    units differ then decides, is hard to see, and is taken at its upper 90 % limit (Q profile:
    Viechtbauer, 2007, "Confidence intervals for the amount of heterogeneity in meta-analysis").
    The scale is the weighted mean square at that limit (Hartung and Knapp, 2001), so that nothing
    is lost where units differ much. The cluster-robust CR2 (Bell and McCaffrey, 2002) covers as
    often with intervals up to twice as wide: `bench/README.md`.
    """
    n_units, n_parts = len(sizes), sizes.sum()
    if (sizes == sizes[0]).all():
        own = shares - shares.mean(2, keepdims=True)
        plain: Floats = np.square(own).sum((1, 2)) / (freedom * n_units * (n_units - 1))
        return plain
    inside = np.maximum(inside, 0) / (freedom * (n_parts - n_units))
    least = 2 * gammaincinv(freedom * (n_units - 1) / 2, 1 - UPPER)  # a quantile of chi squared
    alike = _Alike.of(shares, sizes)
    between = alike.most_between(least * inside)
    scale = alike.squares_if(between) / (freedom * (n_units - 1))
    counts = np.square(sizes / n_parts)
    variance: Floats = scale * (between * counts.sum() + (counts / sizes).sum())
    return variance


@dataclass(frozen=True)
class _Alike:
    """What the C kinds of equally large units add up to: many parts are of few kinds."""

    sizes: Floats  # (C,)
    numbers: Floats  # (C,) of units
    sums: Floats  # (M, R, C)
    squares: Floats  # (M, R, C)

    @classmethod
    def of(cls, shares: Floats, sizes: Floats) -> "_Alike":
        """From `shares` (M, R, G) of units of `sizes` (G,)."""
        kinds, kind, numbers = np.unique(sizes, return_inverse=True, return_counts=True)
        member = (kind[:, None] == np.arange(len(kinds))).astype(np.float64)
        shares = shares - shares.mean(2, keepdims=True)  # sums of squares lose fewer digits
        return cls(kinds, numbers.astype(np.float64), shares @ member, np.square(shares) @ member)

    def squares_if(self, between: Floats) -> Floats:
        """Squares (M,) about weighted means; weights are 1 / (`between` (M,) + 1 / size)."""
        weights = 1 / (between[:, None] + 1 / self.sizes)
        centre = (self.sums * weights[:, None]).sum(2)
        explained = np.square(centre).sum(1) / (self.numbers * weights).sum(1)
        squares: Floats = (self.squares * weights[:, None]).sum((1, 2)) - explained
        return np.asarray(np.maximum(squares, 0))

    def most_between(self, least: Floats) -> Floats:
        """The `between` (M,) at which the squares fall to `least` (M,); about 0 where none does.

        They fall as `between` grows. It is found by halving on a logarithmic scale.
        """
        low, high = np.full(len(least), -12.0), np.full(len(least), 12.0)  # of log(between)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = self.squares_if(np.exp(middle)) > least
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        between: Floats = np.exp(high)
        return between
