"""The reference of good parts asks about what their principal components do not rebuild."""

import warnings
from dataclasses import replace

import numpy as np
from unseen_parts import experiment

from gaikan.evaluation.good_only import GOOD_ONLY, good_only_rows


def test_what_differs_from_good_parts_is_asked_about_and_they_are_not() -> None:
    whole = experiment()
    rng = np.random.default_rng(0)
    for frames in (whole.train, whole.test):
        frames.images[:] = rng.normal(size=frames.images.shape)
        frames.images[..., 2:] = frames.images[..., :2]  # good ones are symmetric
        frames.images[frames.names == "crack", ..., 3] *= -1
    rows = list(good_only_rows(whole, by_image=False))
    assert len(rows) == 2 * 2
    for row in rows:
        assert row.variant == GOOD_ONLY.name == "reference-good_only"
        assert row.good_asked is not None
        assert row.good_asked <= 0.2
        assert row.asked is not None
        assert (row.asked > 0.9) == (row.mode == "crack")
        assert row.escaped == 1 - row.asked


def test_of_one_good_fit_part_it_says_no_more_than_that_others_differ() -> None:
    whole = experiment()
    (good, *_), parts = np.flatnonzero(whole.train.names == "ok"), whole.parts
    few = {
        seed: replace(own, fit=np.append(own.fit[whole.train.names[own.fit] != "ok"], good))
        for seed, own in parts.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [*good_only_rows(replace(whole, parts=few), by_image=False)]
    assert all(row.escaped is not None and 0 <= row.escaped <= 1 for row in rows)
