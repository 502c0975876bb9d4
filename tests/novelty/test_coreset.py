"""What stands for the fit images: as many of each class, and only of them."""

import numpy as np
import pytest

from gaikan.novelty.coreset import familiarity
from gaikan.novelty.familiarity import LARGEST


@pytest.mark.parametrize("sizes", [(2000, 500), (2000, 5), (3, 4), (1,), (900,), (3,) * 400])
def test_each_class_keeps_its_share_or_all_that_it_has(sizes: tuple[int, ...]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    embeddings = np.arange(len(labels), dtype=np.float32)[:, None] * np.ones(2, np.float32)
    known = familiarity(embeddings, labels, 0).known
    assert len(known) <= LARGEST
    assert len(np.unique(known[:, 0])) == len(known)  # no part twice
    kept = np.bincount(labels[known[:, 0].astype(int)], minlength=len(sizes))
    if len(sizes) < LARGEST:
        most = LARGEST // len(sizes)
        np.testing.assert_array_equal(kept, np.minimum(sizes, most))


def test_a_seed_always_keeps_the_same() -> None:
    labels = np.repeat([0, 1], 400)
    embeddings = np.random.default_rng(0).random((800, 4), np.float32)
    one, again, other = (familiarity(embeddings, labels, seed).known for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
