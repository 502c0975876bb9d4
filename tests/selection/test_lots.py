"""Lots that choose, lots that calibrate, and what is promised for new ones."""

from dataclasses import replace

import numpy as np
import pytest
from new_lots import Lots, kept

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.candidates import Judging
from gaikan.selection.lots import divided, fewest_lots
from gaikan.selection.promise import promise

STAGE = Stage(escape_bound=Share(max=0.1))


def run(lots: int, parts: int = 130, networks: int = 3) -> RunFiles:
    return Lots(lots, parts, 0.3, networks=networks).run(np.random.default_rng(0))


@pytest.mark.parametrize(("lots", "choosing_lots"), [(6, 2), (10, 2), (15, 3), (19, 4)])
def test_of_six_to_nineteen_lots_a_fifth_choose_and_the_others_calibrate(
    lots: int, choosing_lots: int
) -> None:
    whole = run(lots)
    for before, choosing, calibrating in zip(
        whole.networks, *(part.networks for part in divided(whole)), strict=True
    ):
        sides = [each.validation for each in (choosing, calibrating)]
        groups = [set(side.group.tolist()) for side in sides if side.group is not None]
        assert (len(groups[0]), len(groups[1])) == (choosing_lots, lots - choosing_lots)
        assert not groups[0] & groups[1]
        assert sum(map(len, sides)) == len(before.validation)
        assert choosing.test is calibrating.test is before.test
    judging = Judging(whole, FactoryConfig(), 0.1)
    assert (judging.lots, judging.calibration.level) == (lots - choosing_lots, 0.95)


def test_the_lots_that_choose_hold_nearly_their_share_of_each_class() -> None:
    whole = Lots(10, 90, 0.3, networks=1).run(np.random.default_rng(0))
    part = whole.networks[0].validation
    assert part.group is not None
    kept = np.ones(len(part), bool)
    for lot, defects, goods in ((0, 20, 60), (1, 30, 10), (2, 85, 20), (3, 50, 5), (4, 70, 40)):
        for some, count in ((part.label == 1, defects), (part.label == 0, goods)):
            kept[np.flatnonzero((part.group == lot) & some)[count:]] = False
    uneven = part.at(np.flatnonzero(kept))
    one = replace(whole, networks=(replace(whole.networks[0], validation=uneven),))
    chosen = divided(one)[0].networks[0].validation
    shares = np.bincount(chosen.label) / np.bincount(uneven.label)
    assert shares == pytest.approx([0.2, 0.2], abs=0.04)


def test_from_twenty_lots_on_all_choose_and_calibrate() -> None:
    judging = Judging(run(20), FactoryConfig(), 0.1)
    assert judging.calibration is judging
    assert (judging.lots, judging.level) == (20, 1 - 0.05 / 3)


def test_the_lots_that_choose_are_the_same_whatever_the_networks_say() -> None:
    samples = [
        {tuple(network.validation.sample.tolist()) for network in divided(each)[0].networks}
        for each in (run(6), Lots(6, 130, 1).run(np.random.default_rng(9)))
    ]
    assert len(samples[0]) == 1
    assert samples[0] == samples[1]


@pytest.mark.parametrize(("lots", "speaking"), [(2, None), (5, None), (6, 4), (10, 8), (20, 20)])
def test_fewer_than_six_lots_promise_nothing_for_new_ones(lots: int, speaking: int | None) -> None:
    judging = Judging(run(lots), FactoryConfig(), 0.1)
    promised = promise(judging, STAGE)
    assert promised is not None
    assert promised.lots == speaking
    said = " ".join([promised.headline, promised.method, *promised.holds_for])
    if speaking is None:
        assert promised.headline.startswith(f"not promised for new lots: {lots} validation lots")
        assert "95 %" not in said
    else:
        assert f"95 % confidence, shown by {speaking} lots" in promised.headline
        bad = 100 * (1 - 0.05 ** (1 / speaking))
        assert f"up to {bad:.1f} % of all lots may still be" in said


def test_lots_count_that_have_defective_parts() -> None:
    whole = run(6)
    label = whole.networks[0].validation.label
    group = whole.networks[0].validation.group
    assert group is not None
    label[group == 3] = 0
    assert fewest_lots(whole) == 5


def test_parts_without_lots_say_first_that_lots_may_stand_on_both_sides() -> None:
    whole = run(6)
    for network in whole.networks:
        object.__setattr__(network.validation, "group", None)
    promised = promise(Judging(whole, FactoryConfig(), 0.1), STAGE)
    assert promised is not None
    assert promised.lots is None
    assert "validation was divided by picture; parts of one lot may stand on both sides" in (
        promised.headline
    )


@pytest.mark.parametrize(
    "lots",
    [
        Lots(6, 130, 0.6, networks=10),
        Lots(10, 80, 0.6, networks=10),
        Lots(20, 40, 0.6, networks=10),
        Lots(20, 40, 0.3, 0.1, 10),
    ],
)
def test_a_ceiling_is_kept_on_new_lots_in_94_percent_of_picks(lots: Lots) -> None:
    picked, held, _ = kept(lots, 0.1, 100)
    assert picked == 1
    assert held >= 0.94
