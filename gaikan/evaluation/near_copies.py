"""Near copies among images: one part shifted, turned, mirrored, cropped, lit or stored anew.

How alike two images of one part are depends on the part: on a fixture even different parts are.
So a pair counts where it stands out from what else looks like either image, after the ratio test
of Lowe (IJCV 60, 2004, section 7.1): how far from 1 its correlation is, over how far from 1 that
with a lookalike is, which is no copy unless there are more than `LOOKALIKE` copies of the part.
"""

import numpy as np

from gaikan.evaluation.neighbours import LOOKALIKE, Grey, neighbours
from gaikan.evaluation.pair_looks import Looked, Pairs, in_other_cuts, in_overlaps, spread_of
from gaikan.evaluation.spectra import Bools, Floats, Index

_RATIO = 0.22  # at most
_TRIED_AGAIN = 0.75  # ratio up to which a pair is looked at in other cuts
_SPREAD = 15  # places: where less tells an image from its lookalike, that is a spot on a fixture
_MOST = 8  # pairs of an image

SMALLEST = 8  # height and width below which nothing can be said


def near_copies(n_images: int, grey: Grey, queries: Index) -> tuple[Index, Floats]:
    """Pairs (P, 2) of near copies, one of each among `queries` (Q,), and their correlation.

    `grey` gives the images by their numbers in 0..n_images-1. Images without contrast, and those
    of nothing but a straight line, have no near copies. Of an image that is no query it is not
    known what else looks like it, so a pair need not stand out from that.
    """
    alike, cropped = neighbours(n_images, grey, queries)
    numbers = np.unique(np.concatenate([alike, cropped]))
    images = Looked.at(numbers, grey)
    plain = Pairs.of(images, *np.searchsorted(numbers, alike).T)
    lookalike = _lookalikes(len(numbers), plain)
    limit = np.where(np.isin(numbers, queries), plain.value[lookalike], np.float32(0))
    pairs = plain + Pairs.of_middles(images, *np.searchsorted(numbers, cropped).T)
    pairs = pairs.at(np.flatnonzero(images.rich[pairs.first] & images.rich[pairs.second]))
    is_first = limit[pairs.first] >= limit[pairs.second]
    near = np.where(is_first, pairs.first, pairs.second)  # the image with the nearest lookalike
    value = _looked_at_again(images, pairs, limit[near])
    good = np.flatnonzero(_ratio(value, limit[near]) < _RATIO)
    edge = lookalike[near[good]]
    other = plain.first[edge] + plain.second[edge] - near[good]
    good = good[spread_of(images, near[good], other) > _SPREAD]
    found, value = pairs.at(good), value[good]
    few = _few(found.first, found.second, value)
    return np.sort(numbers[np.stack([found.first, found.second], 1)[few]], 1), value[few]


def _ratio(value: Floats, limit: Floats) -> Floats:
    """How far from 1 a correlation is, over how far from 1 that with a lookalike is."""
    return ((1 - value) / np.maximum(1 - limit, 1e-3)).astype(np.float32, copy=False)


def _looked_at_again(images: Looked, pairs: Pairs, limit: Floats) -> Floats:
    """The correlation (P,) of pairs, in the best look where that may make copies of them."""
    value = pairs.value.copy()
    for look in (in_other_cuts, in_overlaps):
        ratio = _ratio(value, limit)
        again = np.flatnonzero((ratio >= _RATIO) & (ratio < _TRIED_AGAIN))
        value[again] = np.maximum(value[again], look(images, pairs.at(again)))
    return value


def _lookalikes(n_images: int, pairs: Pairs) -> Index:
    """The pair (n_images,) of each image with its `LOOKALIKE`-th neighbour, or its last.

    Of an image in none of the pairs any pair.
    """
    n_pairs = len(pairs.value)
    image, pair = np.concatenate([pairs.first, pairs.second]), np.tile(np.arange(n_pairs), 2)
    order = np.lexsort((-pairs.value[pair], image))
    count = np.bincount(image, minlength=n_images)
    start = np.cumsum(count) - count
    place = start + np.minimum(LOOKALIKE, np.maximum(count - 1, 0))
    chosen: Index = pair[order[np.minimum(place, len(order) - 1)]]
    return chosen


def _few(first: Index, second: Index, value: Floats) -> Bools:
    """Which pairs are among the `_MOST` best of both of their images."""
    image, pair = np.concatenate([first, second]), np.tile(np.arange(len(first)), 2)
    order = np.lexsort((-value[pair], image))
    count = np.bincount(image)
    rank = np.empty(len(image), np.int64)
    rank[order] = np.arange(len(image)) - np.repeat(np.cumsum(count) - count, count)
    of_first, of_second = np.split(rank < _MOST, 2)
    return of_first & of_second
