"""What a network knows is the Gaussian of scikit-learn's LedoitWolf, whatever it is given."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from gaikan.novelty.gaussian import familiarity


def drawn(n: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Embeddings (n, 16), some directions with more spread and the last without any."""
    rows = np.random.default_rng(0).normal(5, np.arange(16)[::-1], (n, 16))
    return rows.astype(np.float32)


@pytest.mark.parametrize("n", [12, 3000])
def test_the_score_is_that_of_scikit_learn(n: int) -> None:
    rows, parts = drawn(n), drawn(40)[::-1] + 3
    expected = np.sqrt(LedoitWolf().fit(rows.astype(float)).mahalanobis(parts.astype(float)))
    np.testing.assert_allclose(familiarity(rows).score(parts), expected, rtol=1e-3)


def test_what_varies_less_is_sooner_new() -> None:
    rows, moves = drawn(3000), 4 * np.eye(16, dtype=np.float32)
    wide, narrow = familiarity(rows).score(rows.mean(0) + moves[[0, 14]])
    assert narrow > 3 * wide


@pytest.mark.parametrize("n", [1, 2, 20])
def test_of_equal_parts_the_distance_is_euclidean(n: int) -> None:
    same = np.full((n, 16), 7, np.float32)
    moved = same[:1] + np.array([[3, 4, *[0] * 14]], np.float32)
    np.testing.assert_allclose(familiarity(same).score(moved), [5], rtol=1e-5)
    np.testing.assert_allclose(familiarity(same).score(same), np.zeros(n))


def test_of_large_embeddings_it_stays_small_and_still_tells_what_is_new() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2048)).astype(np.float32)
    known = familiarity(rows[:400])
    assert known.whitener.nbytes <= 500_000
    usual, new = known.score(rows[400:]), known.score(3 * rows[400:])
    assert new.min() > usual.max()
    np.testing.assert_array_equal(known.whitener, familiarity(rows[:400]).whitener)
