"""Near copies among images: alike after a shift of a pixel and a change of light."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_ALIKE = 0.995  # correlation of the images; a defect of 3 x 3 pixels in 36 x 39 lowers it to 0.987
_ALIKE_IN_DETAIL = 0.98  # of what differs from the pixels around: two plain parts are alike in bulk
_GRID = 6  # the coarse images that are searched are 6 x 6
_SEARCHED = 8  # leading principal components, of 36: a search tree is fast in few dimensions
_CHUNK = 2**24  # pixels compared at once

SMALLEST = _GRID + 2  # height and width below which nothing can be said

Floats = NDArray[np.float32]
Index = NDArray[np.int64]
Grey = Callable[[Index], Floats]  # images (M, H, W) by number


def near_copies(n_images: int, grey: Grey, queries: Index) -> tuple[Index, Floats]:
    """Pairs (P, 2) of near copies, one of each among `queries` (Q,), and their correlation.

    `grey` gives the images by their numbers in 0..n_images-1. Constant ones have no near copies.
    """
    search = _Search.over(n_images, grey)
    queries = queries[search.varied[queries]]
    among = np.isin(np.arange(n_images), queries)
    found: dict[tuple[int, int], float] = {}
    for some in _chunks(queries, grey):
        images = grey(some)
        for dy, dx in product((-1, 0, 1), repeat=2):
            a, b = search.candidates(some, _unit(_coarse(_centre(images, dy, dx))))
            new = (a < b) | (~among[b] & (a != b))  # of two that are asked for, the first asks
            a, b = a[new], b[new]
            alike = _alike(grey, a, b, dy, dx)
            for i, j, r in zip(a.tolist(), b.tolist(), alike.tolist(), strict=True):
                if r >= _ALIKE:
                    pair = (min(i, j), max(i, j))
                    found[pair] = max(r, found.get(pair, 0.0))
    pairs = sorted(found)
    return (
        np.asarray(pairs, np.int64).reshape(-1, 2),
        np.asarray([found[pair] for pair in pairs], np.float32),
    )


@dataclass(frozen=True)
class _Search:
    """A search tree over coarse images.

    It is asked with the one image's centre moved, and holds the other's not moved, so that a true
    copy is found whatever its shift. Projection only brings images nearer, so it loses none.
    """

    coarse: Floats  # (N, 36), of length 1
    varied: NDArray[np.bool_]  # (N,)
    places: Index  # of those that the tree holds
    axes: Floats  # (36, 8)
    tree: cKDTree

    @classmethod
    def over(cls, n_images: int, grey: Grey) -> "_Search":
        """Over all images that are not constant."""
        coarse, varied = [], []
        for some in _chunks(np.arange(n_images), grey):
            images = grey(some)
            coarse.append(_unit(_coarse(_centre(images, 0, 0))))
            varied.append(images.reshape(len(images), -1).std(1) > 1e-6)
        whole, places = np.concatenate(coarse), np.flatnonzero(np.concatenate(varied))
        axes = np.linalg.eigh(whole.T @ whole)[1][:, ::-1][:, :_SEARCHED]
        return cls(whole, np.concatenate(varied), places, axes, cKDTree(whole[places] @ axes))

    def candidates(self, asked: Index, moved: Floats) -> tuple[Index, Index]:
        """Pairs of `asked` (Q,), whose coarse images are `moved` (Q, 36), with images alike."""
        radius = np.sqrt(2 * (1 - _ALIKE))
        hits = self.tree.query_ball_point(moved @ self.axes, radius, return_sorted=False)
        counts = np.fromiter(map(len, hits), np.int64, len(hits))
        row = np.repeat(np.arange(len(hits)), counts)
        other = self.places[np.concatenate([*hits, []]).astype(np.int64)]
        alike = np.einsum("ij,ij->i", moved[row], self.coarse[other]) > _ALIKE
        return asked[row[alike]], other[alike]


def _chunks(index: Index, grey: Grey) -> list[Index]:
    """`index`, so many at a time that as many images stay small."""
    n_pixels = grey(np.zeros(1, np.int64)).size
    return np.array_split(index, -(-len(index) * n_pixels // _CHUNK)) if len(index) else []


def _alike(grey: Grey, a: Index, b: Index, dy: int, dx: int) -> Floats:
    """Correlation (P,) of images `a`, moved, with `b` in their centres; 0 if not in detail."""
    values = [np.zeros(0, np.float32)]
    for some in _chunks(np.arange(len(a)), grey):
        held, place = np.unique(np.concatenate([a[some], b[some]]), return_inverse=True)
        images, first, second = grey(held), *np.split(place, 2)
        value = _correlation(images, first, second, dy, dx)
        value[_correlation(_detail(images), first, second, dy, dx) < _ALIKE_IN_DETAIL] = 0
        values.append(value)
    return np.concatenate(values)


def _correlation(images: Floats, a: Index, b: Index, dy: int, dx: int) -> Floats:
    first, second = _centre(images[a], dy, dx), _centre(images[b], 0, 0)
    units = (_unit(each.reshape(len(a), -1)) for each in (first, second))
    correlation: Floats = np.einsum("ij,ij->i", *units)
    return correlation


def _centre(images: Floats, dy: int, dx: int) -> Floats:
    """The images without their outermost pixels, moved by that much."""
    height, width = images.shape[1:]
    return images[:, 1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]


def _coarse(images: Floats) -> Floats:
    """6 x 6 means of images (U, H, W), each over its share of the area, as (U, 36)."""
    down, across = (_shares(length) for length in images.shape[1:])
    means = np.einsum("ah,nhw,bw->nab", down, images, across, optimize=True)
    return np.asarray(means, np.float32).reshape(len(images), -1)


def _shares(length: int) -> Floats:
    """How much each of `length` pixels counts in each of 6 cells, (6, length), rows sum to 1."""
    edges = np.linspace(0, length, _GRID + 1)
    pixels = np.arange(length)
    low = np.maximum(edges[:-1, None], pixels)
    high = np.minimum(edges[1:, None], pixels + 1)
    return np.asarray((high - low).clip(min=0) * _GRID / length, np.float32)


def _unit(rows: Floats) -> Floats:
    """Rows (U, M) less their mean, of length 1; 0 where constant."""
    rows = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-6)
    return unit


def _detail(images: Floats) -> Floats:
    """What of each pixel differs from the mean of the 3 x 3 around it; two pixels smaller."""
    height, width = images.shape[1:]
    around = np.zeros((len(images), height - 2, width - 2), np.float32)
    for dy, dx in product(range(3), repeat=2):
        around += images[:, dy : height - 2 + dy, dx : width - 2 + dx]
    return np.asarray(images[:, 1:-1, 1:-1] - around / 9, np.float32)
