"""Intervals and comparisons over seeds and test parts together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Resampled:
    """Accuracies of V variants: as measured, and in each of B resamples of seeds and parts."""

    mean: NDArray[np.float64]  # (V,)
    draws: NDArray[np.float64]  # (B, V); the draws are common to all variants

    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds (V,) of the 95 % percentile interval."""
        low, high = np.quantile(self.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        return low, high

    def tied_with_best(self) -> NDArray[np.bool_]:
        """Which variants (V,) cannot be told from the best: paired bootstrap, Holm-corrected.

        The p value of a difference is twice the share of resamples in which it vanishes or
        turns round (Efron and Tibshirani, 1993, chapter 16; +1 as in Davison and Hinkley, 1997,
        eq. 4.11), corrected over the comparisons with the best (Holm, 1979).
        """
        best = int(self.mean.argmax())
        gaps = self.draws[:, [best]] - self.draws
        p = np.minimum(1, 2 * ((gaps <= 0).sum(0) + 1) / (len(gaps) + 1))
        others = np.flatnonzero(np.arange(len(p)) != best)
        tied = np.ones(len(p), bool)
        order = others[np.argsort(p[others], kind="stable")]
        for rank, variant in enumerate(order):
            if p[variant] * (len(order) - rank) > 1 - LEVEL:
                break
            tied[variant] = False
        return tied


def resample(
    correct: NDArray[np.bool_], groups: NDArray[np.str_] | None, rng: np.random.Generator
) -> Resampled:
    """Hierarchical bootstrap of `correct` (V, S, N): V variants, S seeds, N test parts.

    Each resample draws seeds with replacement and, independently, parts with replacement; where
    parts have `groups` (N,), whole groups, since parts of one lot succeed and fail together.
    With one seed only parts are drawn. Counts instead of copies make it two matrix products.
    """
    n_variants, n_seeds, n_parts = correct.shape
    unit = np.arange(n_parts) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(unit).astype(np.float64)
    hits = np.zeros((len(sizes), n_variants * n_seeds))
    np.add.at(hits, unit, correct.reshape(-1, n_parts).T)
    seed_weight = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), RESAMPLES) / n_seeds
    unit_weight = rng.multinomial(
        len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES
    ).astype(np.float64)
    share = (unit_weight @ hits / (unit_weight @ sizes)[:, None]).reshape(-1, n_variants, n_seeds)
    draws = np.einsum("bvs,bs->bv", share, seed_weight)
    return Resampled(correct.mean((1, 2)), draws)
