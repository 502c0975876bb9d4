"""Intervals, comparisons and bounds: against SciPy and statsmodels, and by simulated coverage."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from gaikan.evaluation.statistics import (
    MeanSquares,
    Units,
    compare,
    difference,
    estimate,
    holm,
    intervals,
    mcnemar,
    moderate,
    resample,
)

Answers = NDArray[np.bool_]


def simulate(
    rng: np.random.Generator,
    grids: int,
    shape: tuple[int, int, int],  # seeds, lots, parts a lot
    spread: tuple[float, float, float],  # of seeds, of lots, of parts; log odds
) -> tuple[Answers, NDArray[np.str_] | None, float]:
    """Answers (grids, S, N) of one recipe on fresh seeds, lots and parts; lots; the truth."""
    n_seeds, n_lots, each = shape
    lot = np.repeat(np.arange(n_lots), each)
    chance = expit(
        2
        + rng.normal(0, spread[0], (grids, n_seeds, 1))
        + rng.normal(0, spread[1], (grids, 1, n_lots))[:, :, lot]
        + rng.normal(0, spread[2], (grids, 1, n_lots * each))
    )
    total = np.sqrt(np.square(spread).sum())
    truth = float(expit(2 + total * rng.normal(size=1_000_000)).mean())
    return rng.random(chance.shape) < chance, lot.astype(np.str_) if each > 1 else None, truth


@pytest.mark.parametrize(
    ("shape", "spread"),
    [
        ((3, 200, 1), (0.15, 2.0, 0.0)),  # seeds x parts
        ((3, 5, 60), (0.2, 0.5, 1.5)),  # few lots
        ((1, 5, 60), (0.0, 0.7, 1.5)),  # few lots and no second seed
        ((5, 12, 30), (0.3, 0.4, 1.0)),
    ],
)
def test_of_300_grids_the_interval_covers_the_truth_in_92_to_98_percent(
    shape: tuple[int, int, int], spread: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(5):  # five sets of 300: one set alone scatters by 1.3 points
        answers, lots, truth = simulate(rng, 300, shape, spread)
        found = intervals(answers, lots, rng)
        covered.append(((found.low <= truth) & (truth <= found.high)).mean())
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("lots", [None, 5])
def test_twelve_equal_variants_differ_falsely_in_at_most_7_percent(lots: int | None) -> None:
    rng = np.random.default_rng(7)
    each = 1 if lots is None else 40
    false = 0
    for _ in range(300):
        lot = np.repeat(np.arange(lots or 200), each)
        n = len(lot)
        chance = expit(
            1.5
            + rng.normal(0, 0.4, (12, 3, 1))  # training varies
            + rng.normal(0, 1.0, (1, 1, n))  # parts that all find hard
            + rng.normal(0, 1.0, (12, 1, n))  # parts that one finds hard
            + rng.normal(0, 0.3, (12, 1, n if lots is None else lots))[:, :, lot]
        )
        answers = rng.random(chance.shape) < chance
        false += bool(compare(answers, None if lots is None else lot.astype(np.str_)).differs.any())
    assert false / 300 <= 0.07


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(0)
    answers = np.stack([rng.random((3, 500)) < p for p in (0.9, 0.9, 0.5)])
    found = compare(answers, None)
    assert found.tied_with(0, 3).tolist() == [True, True, False]
    assert found.tied_with(2, 3).tolist() == [False, False, True]


def test_one_seed_without_groups_is_tested_by_mcnemar_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    answers = rng.random((3, 1, 80)) < np.array([0.9, 0.7, 0.6])[:, None, None]
    found = compare(answers, None)
    for p, a, b in zip(found.p, found.first, found.second, strict=True):
        table = np.zeros((2, 2))
        np.add.at(table, (answers[a, 0].astype(int), answers[b, 0].astype(int)), 1)
        assert p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_equals_statsmodels(first: int, second: int) -> None:
    expected = statsmodels_mcnemar([[5, first], [second, 7]], exact=True).pvalue
    assert mcnemar(first, second) == pytest.approx(min(1.0, expected))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=30))
def test_holm_equals_statsmodels(p: list[float]) -> None:
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(np.array(p)), expected)


def test_one_seed_in_equal_groups_is_students_t_over_groups() -> None:
    rng = np.random.default_rng(2)
    answers = rng.random((2, 1, 120)) < 0.7
    lots = np.repeat(np.arange(6), 20).astype(np.str_)
    means = (answers[0, 0].astype(float) - answers[1, 0]).reshape(6, 20).mean(1)
    expected = ttest_1samp(means, 0)
    assert compare(answers, lots).p[0] == pytest.approx(expected.pvalue)
    _, low, high = difference(answers[0], answers[1], lots)
    assert (low, high) == pytest.approx(expected.confidence_interval())


def test_mean_squares_equal_a_naive_loop() -> None:
    cells = np.random.default_rng(3).normal(size=(4, 7))
    found = MeanSquares.of(Units(cells[None], np.ones(7)))
    mean = cells.mean()
    of_seeds = sum(7 * (cells[s].mean() - mean) ** 2 for s in range(4)) / 3
    of_units = sum(4 * (cells[:, g].mean() - mean) ** 2 for g in range(7)) / 6
    rest = sum(
        (cells[s, g] - cells[s].mean() - cells[:, g].mean() + mean) ** 2
        for s in range(4)
        for g in range(7)
    )
    assert found.of_seeds[0] == pytest.approx(of_seeds)
    assert found.of_units[0] == pytest.approx(of_units)
    assert found.of_rest[0] == pytest.approx(rest / 18)


def test_the_order_of_parts_groups_and_seeds_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    answers = rng.random((3, 4, 90)) < np.array([0.9, 0.8, 0.6])[:, None, None]
    lots = rng.integers(0, 8, 90).astype(np.str_)
    parts, seeds = rng.permutation(90), rng.permutation(4)
    renamed = np.array([f"z{9 - int(lot)}" for lot in lots])
    one = compare(answers, lots)
    other = compare(answers[:, seeds][:, :, parts], renamed[parts])
    np.testing.assert_allclose(one.p, other.p)
    np.testing.assert_allclose(one.low, other.low)


def test_nothing_wrong_is_bounded_by_the_number_of_parts() -> None:
    found = intervals(np.ones((1, 3, 100), bool), None, np.random.default_rng(0))
    assert found.high[0] == 1
    assert found.low[0] == pytest.approx(0.025 ** (1 / 100))  # Clopper and Pearson


def test_one_group_gives_no_interval_and_no_difference() -> None:
    answers = np.stack([np.ones((2, 50), bool), np.zeros((2, 50), bool)])
    lots = np.full(50, "lot")
    found = intervals(answers, lots, np.random.default_rng(0))
    assert found.mean.tolist() == [1, 0]
    assert np.isnan(found.low).all()
    assert not compare(answers, lots).differs.any()


def test_the_same_answers_do_not_differ_and_opposite_ones_do() -> None:
    right = np.ones((1, 2, 60), bool)
    lots = np.repeat(np.arange(6), 10).astype(np.str_)
    found = compare(np.concatenate([right, right, ~right]), lots)
    assert found.p[0] == 1
    assert found.differs.tolist() == [False, True, True]
    assert found.first_only.tolist() == [0, 120, 120]


def test_moderated_variances_lie_between_their_own_and_the_common_one() -> None:
    rng = np.random.default_rng(5)
    variances = rng.chisquare(2, 66) / 2
    shrunk, freedom = moderate(variances, 2)
    assert freedom > 4
    assert shrunk.var() < 0.2 * variances.var()
    alone, own = moderate(variances[:2], 2)  # two tell nothing of what is common
    assert own == 2
    assert (alone == variances[:2]).all()


def test_2000_resamples_of_a_whole_grid_take_under_5_seconds_and_repeat() -> None:
    rng = np.random.default_rng(6)
    answers = rng.random((19, 3, 5000)) < 0.9  # 12 variants, 2 heads, 5 references
    start = time.process_time()  # a machine that others use too must not fail this
    first = intervals(answers, None, np.random.default_rng(1))
    assert time.process_time() - start < 5
    again = intervals(answers, None, np.random.default_rng(1))
    assert (first.low == again.low).all()
    assert (first.low < first.mean).all()
    assert (first.mean < first.high).all()


def test_parts_that_fail_together_widen_the_interval() -> None:
    lots = np.repeat([f"lot-{i}" for i in range(10)], 50)
    answers = np.repeat(np.random.default_rng(0).random(10) < 0.5, 50)[None, None, :]
    widths = []
    for groups in (lots, None):
        found = intervals(answers, groups, np.random.default_rng(0))
        widths.append(float((found.high - found.low)[0]))
    assert widths[0] > 3 * widths[1]


def test_an_estimate_of_two_seeds_admits_how_little_they_show() -> None:
    cells = np.array([[[0.9] * 50, [0.5] * 50]])
    found = estimate(MeanSquares.of(Units(cells, np.ones(50))))
    assert found.freedom[0] == pytest.approx(1)
    assert found.half_width()[0] > 1


def test_resamples_do_not_depend_on_how_many_are_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    correct = np.random.default_rng(0).random((4, 2, 500)) < 0.8
    whole = resample(Units.of(correct, None), np.random.default_rng(3))
    monkeypatch.setattr("gaikan.evaluation.statistics._COUNTS", 500 * 7)
    np.testing.assert_allclose(
        resample(Units.of(correct, None), np.random.default_rng(3)), whole, rtol=1e-12
    )
