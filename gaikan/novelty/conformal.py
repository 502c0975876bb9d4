"""From novelty scores to conformal p-values, which mean the same for every network.

The p-value of a part is the share of held-out parts of known classes that score at least as high
as it does. Small: hardly anything that the network knows looks so new. Vovk, Gammerman and Shafer,
"Algorithmic Learning in a Random World", 2005, ch. 2; for novelty detection Bates et al., "Testing
for outliers with conformal p-values", Annals of Statistics 51, 2023.

Each lot counts alike, however many parts it has: with w(s) the share of a lot's parts that score
at least s, meaned over the lots, p(s) = (1 + M w(s)) / (1 + M), where M is the number of held-out
parts, but at most `FINEST`. Without lots each part is a lot, and p is the usual
(1 + count) / (1 + n): of parts that are exchangeable, at most a share a has p <= a. Of new lots
that holds on average over lots as far as lots are alike; where lots differ much, the one lot in
K + 1 that is the strangest may have small p-values throughout.

NumPy alone: the line computes them, too.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FINEST = 999  # held-out parts that a p-value distinguishes: the smallest one is 1/1000

Scores = NDArray[np.float32]


def calibration(scores: Scores, lots: ArrayLike | None = None) -> Scores:
    """The held-out scores (N,) as at most `FINEST` sorted ones, (M,), M = min(N, `FINEST`).

    `lots` (N,) names each part's lot. They are quantiles of the scores in which each lot weighs
    alike; without lots and with N <= `FINEST` they are the scores themselves.
    """
    if len(scores) == 0:
        return scores
    _, lot = np.unique(np.arange(len(scores)) if lots is None else lots, return_inverse=True)
    sizes = np.bincount(lot)
    order = np.argsort(scores, kind="stable")
    shares = np.cumsum(1 / (len(sizes) * sizes[lot][order]))
    n = min(len(scores), FINEST)
    places = np.searchsorted(shares, (np.arange(n) + 0.5) / n)
    quantiles: Scores = scores[order][np.minimum(places, len(scores) - 1)]
    return quantiles


def p_values(scores: Scores, calibrated: Scores) -> Scores:
    """p-values (N,) float32 of the scores (N,) of new parts, by what `calibration` gave (M,).

    (1 + how many of the M score at least as high) / (1 + M); 1 where nothing was held out.
    """
    below = np.searchsorted(calibrated, scores, side="left")
    p: Scores = ((1 + len(calibrated) - below) / (1 + len(calibrated))).astype(np.float32)
    return p


def own_p_values(scores: Scores, lots: ArrayLike | None = None) -> Scores:
    """p-values (N,) float32 of the held-out parts themselves, each by the parts of other lots.

    They are what `p_values` gives parts of a new lot, so that a limit set on these is met there.
    With a single lot there are no others, and every p-value is 1.
    """
    n = len(scores)
    names, lot = np.unique(np.arange(n) if lots is None else lots, return_inverse=True)
    if len(names) < 2:
        return np.ones(n, np.float32)
    sizes = np.bincount(lot)[lot]  # (N,) of each part's lot
    everywhere = len(names) * _at_least(scores, np.zeros(n, np.int64), 1 / (len(names) * sizes))
    within = _at_least(scores, lot, 1 / sizes)
    share = np.clip((everywhere - within) / (len(names) - 1), 0, 1)
    finest = np.minimum(n - sizes, FINEST)
    p: Scores = ((1 + finest * share) / (1 + finest)).astype(np.float32)
    return p


def p_values_across_lots(
    scores: Scores, lots: ArrayLike, held_out: Scores, held_lots: ArrayLike
) -> Scores:
    """p-values (N,) float32 of parts whose lots have held-out parts (M,), too: by the other lots.

    What `own_p_values` is to the held-out parts, for parts that are not among them.
    """
    lot, held_lot = np.asarray(lots), np.asarray(held_lots)
    p = np.ones(len(scores), np.float32)
    for name in np.unique(lot):
        own, others = lot == name, held_lot != name
        p[own] = p_values(scores[own], calibration(held_out[others], held_lot[others]))
    return p


def highest_level(p: NDArray[np.floating], share: float) -> float:
    """The highest of the p-values (N,) at or below which at most a `share` of them lie; else 0."""
    ordered = np.sort(p)
    most = math.floor(share * len(ordered) + 1e-9)
    within = np.searchsorted(ordered, ordered, side="right") <= most
    return float(ordered[within].max()) if within.any() else 0.0


def _at_least(
    scores: Scores, block: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """For each score (N,) the weight of all of its `block` (N,) that are at least as high."""
    order = np.lexsort((scores, block))
    ordered, blocks = scores[order], block[order]
    begins = np.diff(blocks, prepend=blocks[0] - 1) != 0
    steps = begins | (np.diff(ordered, prepend=ordered[0]) != 0)
    before = np.concatenate([[0], np.cumsum(weights[order])])
    ends = np.append(np.flatnonzero(begins)[1:], len(scores))  # one a block
    whole = before[ends][np.cumsum(begins) - 1]
    first = np.flatnonzero(steps)[np.cumsum(steps) - 1]  # of equal scores
    held = np.empty(len(scores))
    held[order] = whole - before[first]
    return held
