"""Which parts a person is asked about: how many, and what that does to the escape ceiling."""

from dataclasses import replace
from pathlib import Path

import asking
import numpy as np
import pytest
from new_lots import Lots
from scipy.special import ndtr

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.novelty.conformal import calibration, own_p_values, p_values
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.selection.asking_curve import nobody_asked
from gaikan.selection.candidates import Judging
from gaikan.selection.handed_over import asked, asking_level, settled
from gaikan.variants import Variant

OK, LOTS, EACH = 0, 20, 60
SPREAD, SKILL, NEWER = 0.3, 2.0, 1.5  # between lots; of margins; of a defective part's score


def parts(p: list[float], label: list[int]) -> DecidedParts:
    one = np.ones(len(p), np.int64)
    margin = np.zeros(len(p))
    return DecidedParts(
        np.arange(len(p)), np.array(label), one - 1, one, margin, None, None, np.array(p)
    )


@pytest.mark.parametrize(("share", "n_asked"), [(0.05, 0), (0.1, 1), (0.39, 3), (0.4, 4), (1, 10)])
def test_at_most_the_share_of_good_parts_is_asked_about(share: float, n_asked: int) -> None:
    good = np.random.default_rng(0).permutation(np.arange(1, 11) / 11)
    some = parts([*good.tolist(), 0.001, 0.001], [OK] * 10 + [1, 1])
    marks = asked(some, some.predicted, OK, asking_level(some, OK, share))
    assert marks[:10].sum() == n_asked
    assert marks[10:].all() == (n_asked > 0)


def test_equal_p_values_are_all_asked_about_or_none() -> None:
    some = parts([0.1, 0.1, 0.5, 0.9], [OK] * 4)
    assert asking_level(some, OK, 0.25) == 0.0
    assert asked(some, some.predicted, OK, asking_level(some, OK, 0.5)).tolist() == [1, 1, 0, 0]


def test_a_part_called_defective_is_never_asked_about_and_an_asked_one_is_what_it_is() -> None:
    some = parts([0.001] * 4, [OK, 1, OK, 1])
    called = np.array([OK, OK, 1, 1])
    assert asked(some, called, OK, 0.5).tolist() == [True, True, False, False]
    assert settled(some, called, OK, 0.5).tolist() == [OK, 1, 1, 1]
    assert settled(some, called, OK, None).tolist() == called.tolist()


def test_defective_parts_and_the_order_of_parts_have_no_say_in_the_level() -> None:
    rng = np.random.default_rng(1)
    some = parts(rng.random(200).tolist(), (rng.random(200) < 0.5).astype(int).tolist())
    level = asking_level(some, OK, 0.1)
    others = np.where(some.label == OK, some.novelty_p, rng.random(200))
    assert asking_level(replace(some, novelty_p=others), OK, 0.1) == level
    assert asking_level(some.at(rng.permutation(200)), OK, 0.1) == level


def drawn(rng: np.random.Generator) -> tuple[NetworkDecisions, np.ndarray]:
    """A network on lots that differ in margin and in score; and its scores."""
    lot = np.arange(LOTS).repeat(EACH)
    label = np.tile(np.arange(EACH) % 2, LOTS)
    margin = rng.normal(np.where(label == OK, SKILL, -SKILL) + rng.normal(0, SPREAD, LOTS)[lot])
    score = rng.normal(NEWER * label + rng.normal(0, SPREAD, LOTS)[lot]).astype(np.float32)
    one = np.ones(len(lot), np.int64)
    called = np.where(margin > 0, OK, one)
    p = own_p_values(score, lot).astype(np.float64)
    part = DecidedParts(np.arange(len(lot)), label, called, one, margin, None, lot, p)
    return NetworkDecisions(Variant("mlp", "a", "mean_image"), 0, part, part), score


def test_new_lots_keep_the_ceiling_and_are_asked_about_as_seldom_as_the_stage_says() -> None:
    """Both over all lots that there may be, in 200 repeats; the ceiling in at least 94 %."""
    rng, share, ceiling = np.random.default_rng(0), 0.05, 0.03
    stage = Stage(objective="overkill", escape_bound=Share(max=ceiling), ask_rate=Share(max=share))
    kept, rates, repeats = 0, [], 200
    deviation = np.sqrt(1 + SPREAD**2)
    for _ in range(repeats):
        network, score = drawn(rng)
        run = RunFiles(Path(), Config(), ("ok", "bad"), (), OK, (network,), ())
        judging = Judging(run, FactoryConfig(), ceiling).calibration
        own = judging.judged(judging.run.networks[0], stage)
        assert own.holds
        assert own.ask_level is not None
        lots = np.arange(LOTS).repeat(EACH)
        calibrated = calibration(score, lots)
        # The lowest score that is asked about, exactly as the line does.
        asked_from = calibrated[p_values(calibrated, calibrated) <= own.ask_level]
        limit = float(asked_from.min()) if len(asked_from) else np.inf
        passed = ndtr((-SKILL - (own.threshold or 0.0)) / deviation)
        kept += passed * ndtr((limit - NEWER) / deviation) <= ceiling
        called_good = ndtr((SKILL - (own.threshold or 0.0)) / deviation)
        rates.append(called_good * ndtr(-limit / deviation))
    assert kept >= 0.94 * repeats
    assert np.mean(rates) <= share + 2 * np.std(rates) / np.sqrt(repeats)


@pytest.mark.parametrize(("count", "each", "ask"), [(10, 80, 0.03), (14, 57, 0.1), (20, 40, 0.03)])
def test_so_they_are_where_several_networks_are_to_choose_from(
    count: int, each: int, ask: float
) -> None:
    """With 20 lots or more, which choose too, a tenth more may be asked about."""
    picks, held, _, asks, _ = asking.kept(Lots(count, each, 0.6, networks=9), 0.03, ask, 100)
    assert picks == 1
    assert held >= 0.94
    assert 0.75 * ask < asks < 1.1 * ask


@pytest.mark.parametrize(
    ("tied", "share", "said"), [(1, 0.0005, "bring more parts"), (9, 0.004, "9 of the")]
)
def test_where_nobody_is_asked_it_says_whether_more_parts_would_help(
    tied: int, share: float, said: str
) -> None:
    """`tied` good parts look newest of all; nobody is asked where they are more than the share."""
    network, _ = drawn(np.random.default_rng(0))
    part = network.validation
    good = np.flatnonzero(part.label == OK)
    p = np.linspace(0.01, 1, len(part))
    p[good[:tied]] = 0.001
    stage = Stage(ask_rate=Share(max=share))
    own = replace(part, novelty_p=p)
    run = RunFiles(Path(), Config(), ("ok", "bad"), (), OK, (replace(network, validation=own),), ())
    judging = Judging(run, FactoryConfig(), 1.0).calibration
    judged = judging.judged(judging.run.networks[0], stage)
    words = nobody_asked(judged, stage, OK)
    assert words is not None
    assert said in words.en
