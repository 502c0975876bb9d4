"""The novelty of a part is its distance to the nearest of the fit embeddings that are kept."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from gaikan.novelty.familiarity import Familiarity


@pytest.mark.parametrize("n", [0, 1, 300, 5000])
def test_the_score_is_the_distance_to_the_nearest_neighbour(n: int) -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(40, 8)).astype(np.float32)
    parts = rng.normal(3, size=(n, 8)).astype(np.float32)
    found = Familiarity(known).score(parts)
    assert found.shape == (n,)
    assert found.dtype == np.float32
    if n:
        expected = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(parts)[0][:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_is_known_itself_is_not_new() -> None:
    known = np.random.default_rng(1).normal(100, size=(20, 128)).astype(np.float32)
    assert Familiarity(known).score(known).max() < 1e-3
