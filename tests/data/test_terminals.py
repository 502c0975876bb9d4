"""The embedded default source."""

import numpy as np
import pytest

from gaikan.data.frames import Frames
from gaikan.data.terminals import VISIBLE, contrast, render_lot, terminals


@pytest.fixture(scope="module")
def train() -> Frames:
    return terminals("train")


@pytest.fixture(scope="module")
def held_out() -> Frames:
    return terminals("test")


def test_the_same_seed_gives_the_same_images(held_out: Frames) -> None:
    assert terminals("test").fingerprint == held_out.fingerprint


def test_another_seed_gives_other_images(held_out: Frames) -> None:
    assert terminals("test", seed=1).fingerprint != held_out.fingerprint


def test_no_lot_is_in_both_parts(train: Frames, held_out: Frames) -> None:
    assert train.groups is not None
    assert held_out.groups is not None
    assert not set(train.groups) & set(held_out.groups)


def test_the_parts_have_their_sizes(train: Frames, held_out: Frames) -> None:
    assert train.images.shape == (3000, 1, 36, 39)
    assert held_out.images.shape == (1000, 1, 36, 39)


def test_the_lots_of_a_part_are_equally_large_and_enough_to_judge_by(
    train: Frames, held_out: Frames
) -> None:
    for frames in (train, held_out):
        assert frames.groups is not None
        sizes = np.unique(frames.groups, return_counts=True)[1]
        assert len(set(sizes.tolist())) == 1
        assert len(sizes) >= 20


def test_every_class_is_in_every_lot(train: Frames, held_out: Frames) -> None:
    for frames in (train, held_out):
        assert frames.groups is not None
        for lot in set(frames.groups):
            assert set(frames.labels[frames.groups == lot]) == set(range(len(frames.classes)))


def test_a_small_lot_has_the_classes_of_a_large_one() -> None:
    small, large = (np.bincount(render_lot(3, size, 0).labels) for size in (40, 400))
    np.testing.assert_allclose(small, large / 10, atol=1)


def test_ok_is_the_first_and_most_frequent_class(train: Frames) -> None:
    assert train.classes[0] == "ok"
    assert np.bincount(train.labels).argmax() == 0


def test_every_defect_shows_against_its_sound_twin() -> None:
    lot = render_lot(1, 200, 0)
    defective = lot.labels > 0
    seen = contrast(
        lot.images[defective, 0].astype(np.float32), lot.twins[defective, 0].astype(np.float32)
    )
    # Half a level for each rounding; the noise is common to both.
    assert seen.min() > VISIBLE * 0.9


def test_no_image_occurs_twice(train: Frames) -> None:
    assert len({image.tobytes() for image in train.images}) == len(train)


def test_few_pixels_are_saturated(train: Frames) -> None:
    assert ((train.images == 0) | (train.images == 255)).mean() < 0.05
