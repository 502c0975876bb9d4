"""Distances of embeddings, against differences."""

from functools import partial

import pytest
import torch
from points import batch, gradient

from gaikan.styles.distance import pairwise


def test_distances_and_their_gradient_are_those_of_differences() -> None:
    points, _ = batch(torch.float64)
    torch.manual_seed(0)
    weights = torch.randn(len(points), len(points), dtype=torch.float64)
    theirs = partial(torch.cdist, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.allclose(pairwise(points), theirs(points, points), rtol=1e-7)
    assert torch.allclose(
        gradient(lambda x: (pairwise(x) * weights).sum(), points),
        gradient(lambda x: (theirs(x, x) * weights).sum(), points),
        rtol=1e-7,
    )


def test_near_embeddings_keep_their_distance() -> None:
    points = torch.full((3, 128), 100.0)
    points[1, 0] += 0.01
    expected = float(points[1, 0] - 100)
    distances = pairwise(points)
    assert float(distances[0, 1]) == pytest.approx(expected, rel=1e-4)
    assert distances[0, 2] == 0
    assert distances.diagonal().count_nonzero() == 0
