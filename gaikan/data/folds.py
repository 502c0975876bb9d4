"""Folds of a training source: each part is held out once, and lots stay whole."""

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from gaikan.data.frames import Frames
from gaikan.data.split import Parts, lacking
from gaikan.seeds import stream

FOLDS = 3
DEALS = 2  # ways to deal, each with networks of its own
_TRIES = 10


def deal_folds(frames: Frames, parts: Parts, seed: int) -> list[Parts]:
    """Up to `FOLDS` folds, stratified by class: `fit` is learned from, `validation` held out.

    Every class is in the fit part of each fold. Where few lots allow no more, there are fewer
    folds; in the end the two of `parts`, a split of `frames` that keeps this rule.
    """
    rng = stream(seed, "folds")
    for n_folds in range(FOLDS, 1, -1):
        for folds in _deals(frames, n_folds, rng):
            if all(lacking(frames, fold.fit) is None for fold in folds):
                return folds
    return [parts, Parts(parts.validation, parts.fit)]


def _deals(frames: Frames, n_folds: int, rng: np.random.Generator) -> Iterator[list[Parts]]:
    """Some ways to deal the lots, or the images where there are no lots, into folds."""
    labels = frames.labels
    groups = None if frames.groups is None else np.unique(frames.groups, return_inverse=True)[1]
    if n_folds > (len(labels) if groups is None else groups.max() + 1):
        return
    for _ in range(_TRIES):
        state = int(rng.integers(2**31))
        with warnings.catch_warnings():  # a class of fewer images than folds is dealt all the same
            warnings.simplefilter("ignore", UserWarning)
            if groups is None:
                dealt = StratifiedKFold(n_folds, shuffle=True, random_state=state).split(
                    labels, labels
                )
            else:
                dealt = StratifiedGroupKFold(n_folds, shuffle=True, random_state=state).split(
                    labels, labels, groups
                )
            folds = [Parts(fit, held) for fit, held in dealt if len(held)]
        yield folds
