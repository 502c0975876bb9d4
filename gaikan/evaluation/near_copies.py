"""Near copies among images: one part shifted, turned, mirrored, cropped, lit or stored anew.

How alike two images of one part are depends on the part: on a fixture even different parts are.
So a pair counts where it stands out from what else looks like either image, after the ratio test
of Lowe (IJCV 60, 2004, section 7.1): how far from 1 its correlation is, over how far from 1 that
with a lookalike is, which is no copy unless there are more than `_LOOKALIKE` copies of the part.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gaikan.data.room import room
from gaikan.evaluation.spectra import (
    SIZE,
    Floats,
    Index,
    Spectra,
    by_turns,
    match,
    richness,
    spectra,
    spots,
    spread,
    turn,
    turned,
)

_NEIGHBOURS = 16  # that are compared with each image
_LOOKALIKE = 11  # which of them, from 0, an image's copies must stand out from
_RATIO = 0.22  # at most
_TRIED_AGAIN = 0.75  # ratio up to which a pair is looked at in other cuts
_CUTS = (0.94, 0.89)  # shares of height and width that a cropped copy shows of the whole
_RICH = 300  # waves: of less is a straight edge, as many parts have
_MORE_THAN_A_SPOT = 18  # places
_SPREAD = 15  # places: where less tells an image from its lookalike, that is a spot on a fixture
_MOST = 8  # pairs of an image
_AXES, _ENOUGH = 32, 5_000  # principal axes, and images that they are found from
_PIXELS, _PAIRS = 2**22, 1024  # at once

SMALLEST = 8  # height and width below which nothing can be said

Grey = Callable[[Index], Floats]  # images (M, H, W) by number
Bools = NDArray[np.bool_]


def near_copies(n_images: int, grey: Grey, queries: Index) -> tuple[Index, Floats]:
    """Pairs (P, 2) of near copies, one of each among `queries` (Q,), and their correlation.

    `grey` gives the images by their numbers in 0..n_images-1. Images without contrast, and those
    of nothing but a straight line, have no near copies. Of an image that is no query it is not
    known what else looks like it, so a pair need not stand out from that.
    """
    pairs = _neighbours(n_images, grey, queries)
    held = np.unique(pairs)
    asked = np.isin(held, queries)
    first, second = np.searchsorted(held, pairs).T
    whole = _spectra(held, grey)
    chunks = np.array_split(whole, -(-len(held) // _PAIRS))
    signs = np.concatenate([by_turns(some) for some in chunks])
    rich = np.concatenate(
        [(richness(some) > _RICH) & (spots(some) > _MORE_THAN_A_SPOT) for some in chunks]
    )
    turns = turn(signs, first, second)
    value = _correlation(whole, whole, first, second, turns)
    lookalike = _lookalikes(len(held), first, second, value)
    limit = np.where(asked, value[lookalike], 0)
    near = np.where(limit[first] >= limit[second], first, second)  # the image with the nearest
    room_left = np.maximum(1 - limit[near], 1e-3)
    again = np.flatnonzero(((1 - value) / room_left < _TRIED_AGAIN) & rich[first] & rich[second])
    value[again] = _in_other_cuts(
        held, grey, whole, first[again], second[again], turns[again], value[again]
    )
    good = np.flatnonzero(((1 - value) / room_left < _RATIO) & rich[first] & rich[second])
    near, edge = near[good], lookalike[near[good]]
    other = first[edge] + second[edge] - near
    good = good[_spread(whole, near, other, turn(signs, near, other)) > _SPREAD]
    good = good[_few(first[good], second[good], value[good])]
    return pairs[good], value[good]


def _neighbours(n_images: int, grey: Grey, queries: Index) -> Index:
    """Pairs (P, 2) of images whose spectra are alike but for turns; each once, ascending."""
    from sklearn.neighbors import NearestNeighbors

    def known(index: Index) -> Floats:
        signs = by_turns(spectra(grey(index)))
        return np.concatenate([signs[:, :1], np.abs(signs[:, 1:])], 1).reshape(len(index), -1)

    every = np.arange(n_images)
    some = known(every[:: -(-n_images // _ENOUGH)])
    centre = some.mean(0)
    axes = np.linalg.eigh((some - centre).T @ (some - centre))[1][:, -_AXES:]
    places = np.concatenate([(known(each) - centre) @ axes for each in _chunks(every, grey)])
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, n_images), algorithm="brute")
    found = search.fit(places).kneighbors(places[queries], return_distance=False)
    pairs = np.stack([np.repeat(queries, found.shape[1]), found.ravel()], 1)
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1)
    number = np.unique(pairs[:, 0] * n_images + pairs[:, 1])
    return np.stack([number // n_images, number % n_images], 1)


def _chunks(index: Index, grey: Grey) -> list[Index]:
    """`index`, so many at a time that as many images stay small."""
    n_pixels = max(grey(np.zeros(1, np.int64)).size, SIZE**2)
    return np.array_split(index, -(-len(index) * n_pixels // _PIXELS)) if len(index) else []


def _spectra(index: Index, grey: Grey, height: float = 1, width: float = 1) -> Spectra:
    """The spectra (M, 25, 25) of those images or their middle, in a file if they are many."""
    found = room((len(index), SIZE, SIZE), np.complex64)
    for some in _chunks(np.arange(len(index)), grey):
        found[some] = spectra(grey(index[some]), height, width)
    return found


def _correlation(
    of_first: Spectra, of_second: Spectra, first: Index, second: Index, turns: Index
) -> Floats:
    """The correlation (P,) of images by their place in the spectra, at the best shift."""
    value = np.empty(len(first), np.float32)
    for at in range(0, len(first), _PAIRS):
        some = slice(at, at + _PAIRS)
        other = turned(of_second[second[some]], turns[some])
        value[some] = match(of_first[first[some]], other)[0]
    return value


def _lookalikes(n_images: int, first: Index, second: Index, value: Floats) -> Index:
    """The pair (n_images,) of each image with its `_LOOKALIKE`-th neighbour, or its last."""
    image, pair = np.concatenate([first, second]), np.tile(np.arange(len(first)), 2)
    order = np.lexsort((-value[pair], image))
    count = np.bincount(image, minlength=n_images)
    last = np.minimum(_LOOKALIKE, count - 1)
    chosen: Index = pair[order[np.cumsum(count) - count + last]]
    return chosen


def _in_other_cuts(
    held: Index,
    grey: Grey,
    whole: Spectra,
    first: Index,
    second: Index,
    turns: Index,
    value: Floats,
) -> Floats:
    """The best of `value` (P,) and the correlations of one image cropped, or of both to squares."""
    places, local = np.unique(np.concatenate([first, second]), return_inverse=True)
    a, b = np.split(local, 2)
    full = whole[places]
    for share in _CUTS:
        cut = _spectra(held[places], grey, share, share)
        for of_a, of_b in ((cut, full), (full, cut)):
            value = np.maximum(value, _correlation(of_a, of_b, a, b, turns))
    height, width = grey(held[:1]).shape[1:]
    side = min(height, width)
    square = _spectra(held[places], grey, side / height, side / width)
    quarter = np.flatnonzero(turns >= 2)
    alike = _correlation(square, square, a[quarter], b[quarter], turns[quarter])
    value[quarter] = np.maximum(value[quarter], alike)
    return value


def _spread(whole: Spectra, image: Index, other: Index, turns: Index) -> Floats:
    """Over how many places (P,) what tells `image` from `other` spreads."""
    places = np.empty(len(image), np.float32)
    for at in range(0, len(image), _PAIRS):
        some = slice(at, at + _PAIRS)
        here = whole[image[some]]
        places[some] = spread(here, match(here, turned(whole[other[some]], turns[some]))[1])
    return places


def _few(first: Index, second: Index, value: Floats) -> Bools:
    """Which pairs are among the `_MOST` best of both of their images."""
    image, pair = np.concatenate([first, second]), np.tile(np.arange(len(first)), 2)
    order = np.lexsort((-value[pair], image))
    count = np.bincount(image)
    rank = np.empty(len(image), np.int64)
    rank[order] = np.arange(len(image)) - np.repeat(np.cumsum(count) - count, count)
    of_first, of_second = np.split(rank < _MOST, 2)
    return of_first & of_second
