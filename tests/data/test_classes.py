"""Classes of two sources brought together, and the class that means good."""

from dataclasses import replace

import numpy as np
import pytest
from saying import in_english

from gaikan.data.classes import align, resolve_ok
from gaikan.data.frames import Frames
from gaikan.errors import DataError


def frames(
    classes: str, labels: list[int], keys: str | None = None, modes: str | None = None
) -> Frames:
    """Blank images; names are given as words of one string."""
    return Frames(
        source="made",
        images=np.zeros((len(labels), 1, 2, 3), np.uint8),
        labels=np.array(labels),
        classes=tuple(classes.split()),
        keys=tuple((keys or classes).split()),
        rows=np.arange(len(labels)),
        modes=None if modes is None else np.array(modes.split()),
    )


TRAIN = frames("ok open spur", [0, 1, 2], keys="0 1 4")


def test_classes_in_another_order_are_matched_by_name() -> None:
    test = align(TRAIN, frames("spur ok open", [0, 1, 2, 0]))
    assert test.classes == TRAIN.classes
    assert test.labels.tolist() == [2, 0, 1, 2]


def test_labels_without_names_are_matched_by_key() -> None:
    test = align(TRAIN, frames("1 4", [0, 1, 1]))
    assert test.names.tolist() == ["open", "spur", "spur"]


def test_classes_that_the_test_part_lacks_stay_listed() -> None:
    assert align(TRAIN, frames("spur", [0])).classes == TRAIN.classes


def test_a_class_that_training_lacks_is_listed_last_and_noted() -> None:
    test = align(TRAIN, frames("crack ok", [0, 1, 0]))
    assert test.classes == ("ok", "open", "spur", "crack")
    assert test.labels.tolist() == [3, 0, 3]
    assert in_english(test.notes) == (
        "class 'crack' is not in made: its 2 test parts can only be classified wrong",
    )


def test_aligning_changes_nothing_but_the_classes() -> None:
    test = frames("spur ok", [1, 0, 1], modes="a b c")
    aligned = align(TRAIN, test)
    assert aligned.names.tolist() == test.names.tolist()
    assert aligned.images is test.images
    assert aligned.modes is test.modes


def test_a_label_of_two_meanings_is_refused() -> None:
    with pytest.raises(DataError, match="label 4 is 'short' there but 'spur' in made"):
        align(TRAIN, frames("ok short", [0, 1], keys="0 4"))


def test_images_of_another_size_are_refused() -> None:
    colour = replace(TRAIN, images=np.zeros((3, 3, 2, 4), np.uint8))
    with pytest.raises(DataError, match="images are 3 x 2 x 3, those of made 3 x 2 x 4"):
        align(colour, TRAIN)


@pytest.mark.parametrize(("ok", "found"), [(None, None), ("spur", "spur"), ("4", "spur")])
def test_the_good_class_goes_by_name_or_label(ok: str | None, found: str | None) -> None:
    assert resolve_ok(TRAIN, ok) == found


def test_the_good_class_goes_by_failure_mode() -> None:
    parts = frames("0 1", [0, 0, 1, 1], modes="good good spur open")
    assert resolve_ok(parts, "good") == "0"


@pytest.mark.parametrize("modes", ["good spur open open", "spur good good open"])
def test_a_failure_mode_that_shares_its_class_is_not_good(modes: str) -> None:
    with pytest.raises(DataError, match="failure mode 'good' does not make a class of its own"):
        resolve_ok(frames("0 1", [0, 0, 1, 1], modes=modes), "good")


def test_an_unknown_good_class_is_told_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'fine' for --ok; classes: ok, open, spur$"):
        resolve_ok(TRAIN, "fine")
