"""Copies among images: exact ones by hash, near ones by correlation after a shift of a pixel."""

import hashlib
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gaikan.data.frames import Images

_ALIKE = 0.995  # correlation of the images; a defect of 3 x 3 pixels in 36 x 39 lowers it to 0.987
_ALIKE_IN_DETAIL = 0.98  # of what differs from the pixels around: two plain parts are alike in bulk
_GRID = 6  # the coarse images that are searched are 6 x 6
_SEARCHED = 8  # leading principal components, of 36: a search tree is fast in few dimensions
_CHUNK = 2**24  # pixels compared at once

Floats = NDArray[np.float32]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """Which of N images are the same, and which sets of same images are nearly the same."""

    sets: Index  # (N,) number of the set of identical images that an image is of
    first: Index  # (U,) first image of each set
    near: Index  # (P, 2) pairs of sets, the one with the earlier first image first
    similarity: Floats  # (P,) correlation of the pairs' images, at the best shift


def find_copies(images: Images) -> Copies:
    """Copies among images (N, C, H, W).

    Near copies correlate to at least 0.995 after a shift of up to one pixel each way, and to 0.98
    in their detail; a change of brightness or contrast does not matter. Constant images and those
    below 8 x 8 have exact copies only.
    """
    first, sets = unique_images(images)
    unique = images[first].mean(axis=1, dtype=np.float32)
    varied = np.flatnonzero(unique.reshape(len(unique), -1).std(1) > 1e-6)
    if min(unique.shape[1:]) < _GRID + 2 or len(varied) < 2:
        return Copies(sets, first, np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
    pairs, similarity = _near(unique[varied])
    return Copies(sets, first, varied[pairs], similarity)


def unique_images(images: Images) -> tuple[Index, Index]:
    """The first of each set of identical images, (U,), and each image's set (N,)."""
    seen: dict[bytes, int] = {}
    first: list[int] = []
    sets = np.empty(len(images), np.int64)
    for i, image in enumerate(np.ascontiguousarray(images)):
        digest = hashlib.sha256(image).digest()
        if digest not in seen:
            seen[digest] = len(first)
            first.append(i)
        sets[i] = seen[digest]
    return np.asarray(first, np.int64), sets


def _near(images: Floats) -> tuple[Index, Floats]:
    """Pairs (P, 2) of near copies among images (U, H, W), none constant; their correlation.

    Candidates by a search tree over coarse images: the one image's centre moved, the other's not,
    so that a true copy is found whatever its shift. Projection only brings images nearer, so it
    loses none. Then pixel by pixel.
    """
    coarse = _unit(_coarse(_centre(images, 0, 0)))
    axes = np.linalg.eigh(coarse.T @ coarse)[1][:, ::-1][:, :_SEARCHED]
    tree = cKDTree(coarse @ axes)
    radius = np.sqrt(2 * (1 - _ALIKE))
    detail = _detail(images)
    found: dict[tuple[int, int], float] = {}
    for dy, dx in product((-1, 0, 1), repeat=2):
        moved = _unit(_coarse(_centre(images, dy, dx)))
        hits = tree.query_ball_point(moved @ axes, radius, return_sorted=False)
        counts = np.fromiter(map(len, hits), np.int64, len(hits))
        a, b = np.repeat(np.arange(len(hits)), counts), np.concatenate(hits).astype(np.int64)
        a, b = a[a < b], b[a < b]
        a, b = _keep(a, b, np.einsum("ij,ij->i", moved[a], coarse[b]) > _ALIKE)
        alike = _correlation(images, a, b, dy, dx)
        alike[_correlation(detail, a, b, dy, dx) < _ALIKE_IN_DETAIL] = 0
        for i, j, r in zip(a.tolist(), b.tolist(), alike.tolist(), strict=True):
            if r >= _ALIKE:
                found[i, j] = max(r, found.get((i, j), 0.0))
    pairs = sorted(found)
    return (
        np.asarray(pairs, np.int64).reshape(-1, 2),
        np.asarray([found[pair] for pair in pairs], np.float32),
    )


def _keep(a: Index, b: Index, which: NDArray[np.bool_]) -> tuple[Index, Index]:
    return a[which], b[which]


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


def _correlation(images: Floats, a: Index, b: Index, dy: int, dx: int) -> Floats:
    """Correlation of `images[a]`, moved, with `images[b]`, in their centres."""
    at_once = max(1, _CHUNK // images[0].size)
    values = [
        np.einsum(
            "ij,ij->i",
            _unit(_centre(images[a[i : i + at_once]], dy, dx).reshape(len(a[i : i + at_once]), -1)),
            _unit(_centre(images[b[i : i + at_once]], 0, 0).reshape(len(b[i : i + at_once]), -1)),
        )
        for i in range(0, len(a), at_once)
    ]
    return np.concatenate([np.zeros(0, np.float32), *values])
