"""Intervals and estimates: against SciPy, by invariances, and by simulated coverage."""

import numpy as np
import pytest
from interval_coverage import KINDS, Spread, covered, lot_sizes, simulate
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binomtest, t

from gaikan.evaluation.mean_squares import MeanSquares, Units, least_effect
from gaikan.evaluation.statistics import estimate, intervals, inverse_trigamma, moderate


def coverage(seeds: int, lot: NDArray[np.int64], spread: Spread, grids: int = 1500) -> float:
    rng = np.random.default_rng(11)
    answers, truth = simulate(rng, grids, seeds, lot, spread)
    groups = None if len(lot) == lot.max() + 1 else lot
    return covered(intervals(answers, groups), truth)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lots", [3, 11])
@pytest.mark.parametrize("seeds", [1, 3])
def test_in_lots_of_any_size_the_interval_covers_the_truth_in_92_to_99_percent(
    kind: str, lots: int, seeds: int
) -> None:
    lot = np.repeat(np.arange(lots), lot_sizes(kind, lots))
    assert 0.92 <= coverage(seeds, lot, Spread()) <= 0.99


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_without_lots_the_interval_covers_the_truth_in_92_to_98_percent(seeds: int) -> None:
    spread = Spread(seeds=0.15, lots=0, both=0, parts=2.0)
    assert 0.92 <= coverage(seeds, np.arange(200), spread) <= 0.98


def test_an_unequal_lot_widens_the_interval_less_than_twice() -> None:
    rng = np.random.default_rng(3)
    lot = np.repeat(np.arange(11), lot_sizes("one holds half", 11))
    answers, _ = simulate(rng, 500, 1, lot, Spread())
    found = intervals(answers, lot)
    assert (found.high - found.low).mean() < 1.3 * 2 * 1.96 * found.mean.std()


def test_one_seed_without_groups_is_wilsons_interval_with_students_quantile() -> None:
    answers = np.random.default_rng(0).random((1, 1, 4000)) < 0.8
    found = intervals(answers, None)
    of_scipy = binomtest(int(answers.sum()), 4000).proportion_ci(0.95, method="wilson")
    assert found.low[0] == pytest.approx(of_scipy.low, abs=1e-4)
    assert found.high[0] == pytest.approx(of_scipy.high, abs=1e-4)


@pytest.mark.parametrize("groups", [100, 5, 3])
def test_nothing_wrong_is_bounded_by_parts_and_groups(groups: int) -> None:
    lot = np.arange(100) % groups
    found = intervals(np.ones((1, 3, 100), bool), lot)
    assert found.high[0] == 1
    effect = float(least_effect(100 / groups, np.array([0.5 / 101]))[0])
    low = 100 / (100 + effect * t.ppf(0.975, groups - 1) ** 2)
    assert found.low[0] == pytest.approx(low, rel=1e-3)
    wrong = intervals(np.zeros((1, 3, 100), bool), lot)
    assert wrong.low[0] == 0
    assert wrong.high[0] == pytest.approx(1 - found.low[0])


@pytest.mark.parametrize(
    "sizes", [(10, 10, 10), (48, 3, 3, 3, 3), (40, *[2] * 10), (80, *[1] * 20)]
)
def test_the_low_bound_of_a_kind_seen_right_in_every_part_holds(sizes: tuple[int, ...]) -> None:
    """Of a kind that is right less often than the bound, all parts are right in 2.5 % at most."""
    lot = np.repeat(np.arange(len(sizes)), sizes)
    low = float(intervals(np.ones((1, 1, len(lot)), bool), lot).low[0])
    rng = np.random.default_rng(0)
    of_lots = rng.normal(0, 1.0, (20_000, len(sizes)))
    below = [r for m in np.linspace(-0.5, 4, 19) if (r := expit(m + of_lots)).mean() < low]
    assert below
    for right in below:
        assert np.prod(right ** np.array(sizes), axis=1).mean() <= 0.025


def test_one_group_gives_no_interval() -> None:
    answers = np.stack([np.ones((2, 50), bool), np.zeros((2, 50), bool)])
    found = intervals(answers, np.full(50, "lot"))
    assert found.mean.tolist() == [1, 0]
    assert np.isnan(found.low).all()


def test_moderated_variances_lie_between_their_own_and_the_common_one() -> None:
    rng = np.random.default_rng(5)
    variances = rng.chisquare(2, 66) / 2
    shrunk, freedom = moderate(variances, 2)
    assert freedom > 4
    assert shrunk.var() < 0.2 * variances.var()
    cautious, fewer = moderate(variances, 2, 1.7)
    assert 2 < fewer < freedom
    assert shrunk.var() < cautious.var() < variances.var()
    alone, own = moderate(variances[:2], 2)  # two tell nothing of what is common
    assert own == 2
    assert (alone == variances[:2]).all()


@pytest.mark.parametrize("x", [1e-3, 0.5, 1, 20, 1e4])
def test_the_inverse_of_trigamma_inverts_it(x: float) -> None:
    from scipy.special import polygamma

    assert inverse_trigamma(float(polygamma(1, x))) == pytest.approx(x, rel=1e-8)


def test_parts_that_fail_together_widen_the_interval() -> None:
    lots = np.repeat([f"lot-{i}" for i in range(10)], 50)
    answers = np.repeat(np.random.default_rng(0).random(10) < 0.5, 50)[None, None, :]
    widths = []
    for groups in (lots, None):
        found = intervals(answers, groups)
        widths.append(float((found.high - found.low)[0]))
    assert widths[0] > 3 * widths[1]


def test_an_estimate_of_two_seeds_admits_how_little_they_show() -> None:
    cells = np.array([[[0.9] * 50, [0.5] * 50]])
    found = estimate(MeanSquares.of(Units.of(cells, None)))
    assert found.freedom[0] == pytest.approx(1)
    assert found.half_width()[0] > 1
