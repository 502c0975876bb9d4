"""Copies among images: exact ones by hash, near ones by what stands out from all lookalikes."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Images
from gaikan.evaluation.near_copies import SMALLEST, near_copies
from gaikan.seeds import stream

MOST_SEARCHED = 30_000  # images among which near copies are looked for one and all
SEARCHED_SAMPLE = 5_000  # of each source's images, if there are more

Floats = NDArray[np.float32]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """Which of N images are the same, and which sets of same images are nearly the same."""

    sets: Index  # (N,) number of the set of identical images that an image is of
    first: Index  # (U,) first image of each set
    near: Index  # (P, 2) pairs of sets, the one with the earlier first image first
    similarity: Floats  # (P,) correlation of the pairs' images, at the best shift
    searched: Index  # sets, ascending, of which near copies were looked for (among all images)


def find_copies(*sources: Images) -> Copies:
    """Copies among the images (N, C, H, W) of all sources, numbered on from one to the next.

    What a near copy is, `near_copies` says. Constant images and those below 8 x 8 have exact
    copies only. Among more than 30,000 images near copies are looked for
    of 5,000 of each source, drawn at random: time would grow with the square.
    """
    pool = _Pool(sources)
    first, sets = unique_images(pool)
    nothing = np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    if min(sources[0].shape[2:]) < SMALLEST or len(first) < 2:
        return Copies(sets, first, *nothing, np.arange(len(first)))
    searched = _searched(sets, [len(source) for source in sources])
    near = near_copies(len(first), lambda some: pool.grey(first[some]), searched)
    return Copies(sets, first, *near, searched)


def _searched(sets: Index, lengths: list[int]) -> Index:
    if len(sets) <= MOST_SEARCHED:
        return np.unique(sets)
    rng = stream(0, "near copies")
    parts = np.split(sets, np.cumsum(lengths)[:-1])
    each = [np.unique(part) for part in parts]
    drawn = [rng.permutation(of)[:SEARCHED_SAMPLE] for of in each]
    return np.unique(np.concatenate(drawn))


class _Pool:
    """The images of several sources in one numbering, not in one array: they may be large."""

    def __init__(self, sources: tuple[Images, ...]) -> None:
        self.sources = sources
        self._ends = np.cumsum([len(source) for source in sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for source in self.sources:
            yield from np.ascontiguousarray(source)

    def grey(self, index: Index) -> Floats:
        """Images (M, H, W) by their numbers, the mean of their channels."""
        images = np.empty((len(index), *self.sources[0].shape[2:]), np.float32)
        of = np.searchsorted(self._ends, index, "right")
        for number, source in enumerate(self.sources):
            rows = index[of == number] - (self._ends[number] - len(source))
            images[of == number] = source[rows].mean(axis=1, dtype=np.float32)
        return images


def unique_images(images: Iterable[NDArray[Any]]) -> tuple[Index, Index]:
    """The first of each set of identical images, (U,), and each image's set (N,)."""
    seen: dict[bytes, int] = {}
    first: list[int] = []
    sets: list[int] = []
    for i, image in enumerate(images):
        digest = hashlib.sha256(image.data).digest()
        if digest not in seen:
            seen[digest] = len(first)
            first.append(i)
        sets.append(seen[digest])
    return np.asarray(first, np.int64), np.asarray(sets, np.int64)
