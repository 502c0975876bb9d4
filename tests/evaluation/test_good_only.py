"""The reference of good parts asks about what their principal components do not rebuild."""

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
