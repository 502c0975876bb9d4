"""The search for copies among images."""

import numpy as np
import pytest

from gaikan.evaluation import copies
from gaikan.evaluation.copies import find_copies


def test_among_many_images_near_copies_of_a_sample_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = np.random.default_rng(0).integers(0, 200, (60, 1, 16, 16), np.uint8)
    test = np.random.default_rng(1).integers(0, 200, (30, 1, 16, 16), np.uint8)
    test[:15] = train[:15] + np.uint8(20)  # brighter copies
    every = find_copies(train, test)
    assert len(every.near) == 15
    assert len(every.searched) == 90
    monkeypatch.setattr(copies, "MOST_SEARCHED", 50)
    monkeypatch.setattr(copies, "SEARCHED_SAMPLE", 10)
    some = find_copies(train, test)
    assert len(some.searched) == 20
    drawn = np.isin(every.near, some.searched).any(1)  # the other of the pair need not be drawn
    assert 0 < drawn.sum() < 15
    np.testing.assert_array_equal(some.near, every.near[drawn])
    np.testing.assert_allclose(some.similarity, every.similarity[drawn], atol=1e-6)
