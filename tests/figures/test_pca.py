"""Embeddings projected to a plane, against scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gaikan.figures.pca import project


def test_a_projection_finds_the_two_widest_directions() -> None:
    rng = np.random.default_rng(0)
    wide = (rng.normal(size=(500, 6)) * [1, 9, 1, 1, 4, 1]).astype(np.float32)
    points, anchors, explained = project(wide, wide[:3])
    assert abs(np.corrcoef(points[:, 0], wide[:, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(points[:, 1], wide[:, 4])[0, 1]) > 0.99
    assert explained == pytest.approx([0.8, 0.16], abs=0.02)
    np.testing.assert_allclose(anchors, points[:3])


def test_a_projection_is_that_of_scikit_learn() -> None:
    wide = np.random.default_rng(2).normal(size=(80, 7)).astype(np.float32)
    peer = PCA(2, svd_solver="full").fit(wide.astype(np.float64))
    points, _, explained = project(wide, wide[:1])
    signs = np.sign((points * peer.transform(wide)).sum(0))
    np.testing.assert_allclose(points * signs, peer.transform(wide), atol=1e-6)
    np.testing.assert_allclose(explained, peer.explained_variance_ratio_)


def test_a_projection_does_not_depend_on_the_order_of_the_rows() -> None:
    wide = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32)
    forward, backward = project(wide, wide)[0], project(wide[::-1], wide)[0]
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 4), (5, 1), (5, 4)])
def test_an_axis_that_the_embeddings_lack_is_zero(shape: tuple[int, int]) -> None:
    same = np.ones(shape, dtype=np.float32)
    points, anchors, explained = project(same, same[:1])
    assert points.shape == (shape[0], 2)
    assert not points.any()
    assert not anchors.any()
    assert explained.tolist() == [0, 0]
