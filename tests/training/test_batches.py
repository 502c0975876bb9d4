"""Balanced batches."""

import numpy as np

from gaikan.training.batches import balanced_batches


def test_every_batch_is_balanced() -> None:
    labels = np.repeat([0, 1, 2], [100, 10, 1])
    for batch in balanced_batches(labels, 30, np.random.default_rng(0)):
        assert np.bincount(labels[batch]).tolist() == [10, 10, 10]


def test_no_image_repeats_before_the_others_of_its_class() -> None:
    labels = np.repeat([0, 1], [40, 8])
    order = balanced_batches(labels, 16, np.random.default_rng(0)).reshape(-1)
    rare = order[labels[order] == 1]
    assert len(set(rare[:8].tolist())) == 8


def test_many_classes_take_turns() -> None:
    labels = np.repeat(np.arange(20), 8)
    batches = balanced_batches(labels, 16, np.random.default_rng(0))
    assert batches.shape == (10, 16)
    assert set(labels[batches].ravel()) == set(range(20))
