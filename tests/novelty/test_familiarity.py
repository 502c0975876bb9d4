"""The novelty of a part is its Mahalanobis distance to the parts that are no news."""

import numpy as np
from scipy.spatial.distance import cdist

from gaikan.novelty.familiarity import Familiarity


def test_the_score_is_the_mahalanobis_distance() -> None:
    rng = np.random.default_rng(0)
    whitener = rng.normal(size=(8, 8)).astype(np.float32)
    mean = rng.normal(size=8).astype(np.float32)
    parts = rng.normal(3, size=(50, 8)).astype(np.float32)
    found = Familiarity(mean, whitener).score(parts)
    inverse = whitener.astype(float) @ whitener.T.astype(float)
    expected = cdist(parts.astype(float), mean[None].astype(float), "mahalanobis", VI=inverse)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-5)


def test_no_part_has_no_score() -> None:
    known = Familiarity(np.zeros(8, np.float32), np.eye(8, dtype=np.float32))
    assert known.score(np.zeros((0, 8), np.float32)).shape == (0,)
