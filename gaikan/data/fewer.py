"""Fewer images to learn from: nested parts of the fit rows, whole lots at a time."""

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.errors import DataError
from gaikan.language.words import Words, say
from gaikan.seeds import stream

_DEALS = 200
Rows = NDArray[np.int64]


class TooFewError(DataError):
    """There are too few lots or images, for the reason in `words`."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def fewer(frames: Frames, rows: Rows, shares: tuple[float, ...], seed: int) -> list[Rows]:
    """About these `shares` of the `rows` (M,) of `frames`, each part within the next larger one.

    With groups whole groups are taken, in the order (of some that are drawn) whose parts are
    most like all rows in their classes. Every class is in every part. `shares` ascend, in 0..1.
    Raises TooFewError where there are too few groups or images for that.
    """
    rng = stream(seed, "learning curve")
    if frames.groups is not None:
        return _by_group(frames, rows, shares, rng)
    labels = frames.labels[rows]
    counts = np.bincount(labels)
    fewest = int(counts[counts > 0].min())
    if fewest * shares[0] < 1:
        told = {"fewest": str(fewest), "share": f"{100 * shares[0]:g}"}
        needed = int(np.ceil(1 / shares[0]))
        raise TooFewError(say("too_few_images", source=frames.source, needed=needed, **told))
    order = rng.permutation(len(rows))
    place = np.empty(len(rows), np.int64)  # of each row among those of its class
    for label in np.unique(labels):
        own = order[labels[order] == label]
        place[own] = np.arange(len(own))
    return [rows[place < np.round(share * counts[labels])] for share in shares]


def _by_group(
    frames: Frames, rows: Rows, shares: tuple[float, ...], rng: np.random.Generator
) -> list[Rows]:
    assert frames.groups is not None
    names, group = np.unique(frames.groups[rows], return_inverse=True)
    table = np.zeros((len(names), len(frames.classes)))
    np.add.at(table, (group, frames.labels[rows]), 1)
    table = table[:, table.sum(0) > 0]
    takes = [round(share * len(names)) for share in shares]
    if takes[0] < 1 or len({*takes, len(names)}) <= len(takes):
        needed = int(np.ceil(1 / shares[0]))
        raise TooFewError(say("too_few_lots", source=frames.source, n=len(names), needed=needed))
    best, best_gap = None, np.inf
    for _ in range(_DEALS):
        order = rng.permutation(len(names))
        seen = table[order].cumsum(0)[np.array(takes) - 1] / table.sum(0)
        gap = np.inf if (seen == 0).any() else np.abs(seen - np.array(shares)[:, None]).mean()
        if gap < best_gap:
            best, best_gap = order, gap
    if best is None:
        counts = {"take": takes[0], "n": len(names)}
        raise TooFewError(say("too_few_whole_lots", source=frames.source, **counts))
    return [rows[np.isin(group, best[:take])] for take in takes]
