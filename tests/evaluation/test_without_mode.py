"""A mode that is left out is nowhere in what networks learn from, choose by or are judged by."""

from dataclasses import replace

import numpy as np
import pytest
from unseen_parts import CLASSES, experiment

from gaikan.config.model import Config
from gaikan.data.frames import Labels
from gaikan.data.split import Parts
from gaikan.errors import ConfigError
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.without_mode import (
    WithoutMode,
    defects,
    leave_out,
    modes_to_leave_out,
)
from gaikan.grid.cells import cells
from gaikan.language.words import say


def leave_each_out(experiment: Experiment) -> list[WithoutMode]:
    return [leave_out(experiment, mode) for mode in modes_to_leave_out(experiment)]


def original_rows(found: WithoutMode) -> Labels:
    """Row in the source of each training image, by what it shows."""
    return found.experiment.train.images[:, 0, 0, 0].astype(np.int64)


@pytest.mark.parametrize("lots", [False, True])
@pytest.mark.parametrize("modes", [False, True])
def test_no_part_of_the_mode_is_in_fit_or_validation(modes: bool, lots: bool) -> None:
    whole = experiment(modes=modes, lots=lots)
    named, of_test = defects(whole)
    found = leave_each_out(whole)
    assert [each.mode for each in found] == (
        ["crack", "long", "short"] if modes else ["burr", "crack"]
    )
    for each in found:
        rows = original_rows(each)
        assert each.reason is None
        assert not (named[rows] == each.mode).any()
        of_mode = of_test == each.mode
        assert of_mode.any()
        np.testing.assert_array_equal(np.flatnonzero(each.unseen), np.flatnonzero(of_mode))
        names = np.asarray(each.experiment.train.classes)[each.experiment.train.labels]
        np.testing.assert_array_equal(names, whole.train.names[rows])
        for seed, own in each.experiment.parts.items():
            for part in ("fit", "validation"):
                before = getattr(whole.parts[seed], part)
                kept = before[named[before] != each.mode]
                np.testing.assert_array_equal(rows[getattr(own, part)], kept)
        for cell in cells(
            Config(seeds=2), "cpu", each.experiment.parts, each.experiment.train, ok="ok"
        ):
            assert cell.good == each.experiment.train.classes.index("ok")


@pytest.mark.parametrize("modes", [False, True])
def test_its_validation_parts_stand_behind_the_test_parts_and_its_fit_parts_nowhere(
    modes: bool,
) -> None:
    whole = experiment(modes=modes, lots=True)
    named, _ = defects(whole)
    for each in leave_each_out(whole):
        test = each.experiment.test
        np.testing.assert_array_equal(test.images[: len(whole.test)], whole.test.images)
        np.testing.assert_array_equal(test.names[: len(whole.test)], whole.test.names)
        seen = set()
        for seed, own in whole.parts.items():
            expected = own.validation[named[own.validation] == each.mode]
            np.testing.assert_array_equal(each.held[seed], expected)
            shown = test.images[each.behind[seed], 0, 0, 0]  # images show their row
            np.testing.assert_array_equal(shown, expected)
            np.testing.assert_array_equal(
                test.names[each.behind[seed]], whole.train.names[expected]
            )
            seen |= {*expected.tolist()}
        assert len(test) == len(whole.test) + len(seen) == len(each.unseen)


def test_a_mode_that_shares_its_class_leaves_the_class() -> None:
    long = leave_each_out(experiment(modes=True))[1]
    modes = long.experiment.train.modes
    assert modes is not None
    assert long.experiment.train.classes == CLASSES
    assert set(modes.tolist()) == {"ok", "crack", "short"}


def test_of_two_classes_nothing_is_left_to_learn_from() -> None:
    (only,) = leave_each_out(experiment(("ok", "crack")))
    assert only.reason == say("mode_is_the_only_one")


def test_a_mode_that_the_test_part_lacks_is_told_by_its_validation_parts() -> None:
    whole = experiment()
    test = whole.test.take(np.flatnonzero(whole.test.names != "burr"))
    lacking = Experiment(whole.train, test, whole.parts, "ok", whole.sources)
    burr = leave_each_out(lacking)[0]
    assert burr.reason is None
    assert not burr.unseen.any()
    assert all(map(len, burr.held.values()))
    fit_alone = {
        seed: Parts(own.fit, own.validation[whole.train.names[own.validation] != "burr"])
        for seed, own in whole.parts.items()
    }
    nowhere = Experiment(whole.train, test, fit_alone, "ok", whole.sources)
    assert leave_each_out(nowhere)[0].reason == say("mode_not_held_out")


@pytest.mark.parametrize("of_training", [False, True])
def test_modes_that_one_source_alone_tells_are_not_matched_with_classes(of_training: bool) -> None:
    """A test mode may be called as a class is, and then is no more than a part of that class."""
    whole = experiment(modes=True)
    train, test = whole.train, whole.test
    if of_training:
        test = replace(test, modes=None)
    else:
        train = replace(train, modes=None)
    found = leave_each_out(replace(whole, train=train, test=test))
    assert [each.mode for each in found] == (
        ["crack", "long", "short"] if of_training else ["burr", "crack"]
    )
    for each in found:
        parts = each.unseen[: len(test)]
        expected = np.zeros(len(test), bool) if of_training else test.names == each.mode
        np.testing.assert_array_equal(parts, expected)


def test_without_a_good_class_it_says_so() -> None:
    with pytest.raises(ConfigError, match="name it with --ok CLASS"):
        leave_each_out(experiment(ok=None))
