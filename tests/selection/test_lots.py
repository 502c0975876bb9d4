"""Lots that choose, lots that calibrate, and what is promised for new ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from new_lots import Lots, kept
from random_runs import random_run

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.evaluation.statistics import exact_high
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.candidates import Judging
from gaikan.selection.lots import divided, fewest_lots
from gaikan.selection.picks import choosing, make_picks
from gaikan.selection.promise import promise
from gaikan.selection.ties import Ties

STAGE = Stage(escape_bound=Share(max=0.1))


def run(lots: int, parts: int = 130, networks: int = 3) -> RunFiles:
    return Lots(lots, parts, 0.3, networks=networks).run(np.random.default_rng(0))


@pytest.mark.parametrize(("lots", "choosing_lots"), [(6, 2), (10, 2), (15, 3), (19, 4)])
def test_of_six_to_nineteen_lots_a_fifth_choose_and_the_others_calibrate(
    lots: int, choosing_lots: int
) -> None:
    whole = run(lots)
    for before, chooses, calibrating in zip(
        whole.networks, *(part.networks for part in divided(whole)), strict=True
    ):
        sides = [each.validation for each in (chooses, calibrating)]
        groups = [set(side.group.tolist()) for side in sides if side.group is not None]
        assert (len(groups[0]), len(groups[1])) == (choosing_lots, lots - choosing_lots)
        assert not groups[0] & groups[1]
        assert sum(map(len, sides)) == len(before.validation)
        assert chooses.test is calibrating.test is before.test
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
    method = [] if promised.method is None else [promised.method]
    headline = promised.headline.en
    said = " ".join(each.en for each in (promised.headline, *method, *promised.holds_for))
    if speaking is None:
        assert headline.startswith(f"not promised for new lots: {lots} validation lots")
        assert "95 %" not in said
    else:
        assert f"95 % confidence, shown by {speaking} lots" in headline
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
        promised.headline.en
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


def test_at_even_odds_lots_that_choose_count_parts_one_by_one() -> None:
    judging = Judging(run(8), FactoryConfig(), 0.1)
    even = judging.at_even_odds()
    assert even.calibration is judging.calibration
    judged = even.judged(even.run.networks[0], STAGE).quality
    assert judged.escapes is not None
    assert judged.defects is not None
    expected = exact_high(np.array([float(judged.escapes)]), judged.defects, 0.5)[0]
    assert judged.escape_bound == pytest.approx(expected)
    strict = judging.judged(judging.run.networks[0], STAGE).quality
    assert strict.escape_bound is not None
    assert strict.escape_bound > expected


@pytest.mark.parametrize(("ceiling", "overkill", "evenly"), [(0.2, 1, False), (0.03, 0.02, True)])
def test_even_odds_choose_only_where_the_stricter_way_leaves_nothing(
    ceiling: float, overkill: float, evenly: bool
) -> None:
    """`evenly`: at the stricter border more than 2 % of the good parts are rejected."""
    rows = tuple(r for r in random_run(0).rows if r.variant == "mlp-a-mean_image")
    judging = Judging(replace(run(8, 98), rows=rows), FactoryConfig(), ceiling)
    stage = Stage(
        objective="overkill", escape_bound=Share(max=ceiling), overkill_rate=Share(max=overkill)
    )
    ties, even = Ties(judging), Ties(judging.at_even_odds())
    assert choosing(ties, even, stage) is (even if evenly else ties)


def apart(run: RunFiles, lots_of_good: int) -> RunFiles:
    """The same where good parts come in lots of their own."""
    networks = []
    for network in run.networks:
        part = network.validation
        assert part.group is not None
        good = 100 + part.sample % lots_of_good
        lot = np.where(part.label == run.ok, good, part.group)
        networks.append(replace(network, validation=replace(part, group=lot)))
    return replace(run, networks=tuple(networks))


@pytest.mark.parametrize("lots_of_good", [1, 2, 10])
@pytest.mark.parametrize("overkill", [0.0, 0.9])
def test_good_parts_may_come_in_lots_of_their_own(
    lots_of_good: int, overkill: float, tmp_path: Path
) -> None:
    """Where those that choose have none, the others judge what is of good parts."""
    rows = tuple(r for r in random_run(0).rows if r.variant == "mlp-a-mean_image")
    (tmp_path / "latency.csv").touch()
    whole = replace(apart(run(10), lots_of_good), rows=rows, out=tmp_path)
    for sides in zip(*(part.networks for part in divided(whole)), strict=True):
        good = [int((each.validation.label == whole.ok).sum()) for each in sides]
        assert [count > 0 for count in good] == [lots_of_good > 1, True]
        assert all((each.validation.label != whole.ok).any() for each in sides)
    stage = Stage(escape_bound=Share(max=0.3), overkill_rate=Share(max=overkill))
    own = make_picks(Judging(whole, FactoryConfig(), 0.3), {"line": stage}).stages["line"]
    if overkill:
        assert own.pick is not None
        return
    assert own.pick is None
    assert own.nearest_miss is not None
    assert own.nearest_miss.would_have_to_give or own.nearest_miss.hopeless


def test_a_recall_of_which_the_lots_that_choose_have_no_part_is_judged_by_the_others() -> None:
    whole = run(10)
    chosen = divided(whole)[0].networks[0].validation.sample
    networks = []
    for network in whole.networks:
        part = network.validation
        rare = (part.label != whole.ok) & ~np.isin(part.sample, chosen)
        mode = np.where(rare, 1, np.where(part.label == whole.ok, -1, 0))
        networks.append(replace(network, validation=replace(part, mode=mode)))
    rows = tuple(r for r in random_run(0).rows if r.variant == "mlp-a-mean_image")
    whole = replace(whole, networks=tuple(networks), modes=("dent", "gap"), rows=rows)
    judging = Judging(whole, FactoryConfig(), 0.1)
    for least, qualifies in ((0.5, True), (1.0, False)):
        stage = Stage(recall={"gap": Share(min=least)})
        first, *_ = judging.candidates(stage)
        assert first.values["recall.gap"] is None
        assert not first.failed
        assert (judging.calibrated(first, stage).failed == ()) is qualifies
