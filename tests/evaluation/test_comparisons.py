"""Comparisons of variants: against SciPy and statsmodels, by invariances, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import ttest_1samp
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from gaikan.evaluation.comparisons import (
    among_best,
    compare,
    compare_means,
    difference,
    estimate_pairs,
    holm,
    mcnemar,
)
from gaikan.evaluation.mean_squares import MeanSquares, Units


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
    assert found.may_be_best.tolist() == [True, True, False]
    assert found.differs.tolist() == [False, True, True]


@pytest.mark.parametrize("lots", [None, 6])
def test_means_of_right_answers_are_compared_as_right_answers_are(lots: int | None) -> None:
    answers = np.random.default_rng(3).random((4, 3, 120)) < 0.8
    groups = None if lots is None else np.arange(120) % lots
    values, whole = compare_means(answers.astype(float), groups), compare(answers, groups)
    assert values.mean == pytest.approx(whole.difference)
    assert values.p_values() == pytest.approx(whole.p)


def test_two_means_over_parts_are_compared_by_the_paired_t_test() -> None:
    values = np.random.default_rng(4).gamma(2.0, size=(2, 1, 60))
    compared = compare_means(values, None)
    expected = ttest_1samp(values[0, 0] - values[1, 0], 0)
    assert compared.p_values()[0] == pytest.approx(expected.pvalue)


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


def test_the_same_answers_do_not_differ_and_opposite_ones_do() -> None:
    right = np.ones((1, 2, 60), bool)
    lots = np.repeat(np.arange(6), 10).astype(np.str_)
    found = compare(np.concatenate([right, right, ~right]), lots)
    assert found.p[0] == 1
    assert found.differs.tolist() == [False, True, True]
    assert found.first_only.tolist() == [0, 120, 120]


def test_one_variant_alone_may_be_the_best() -> None:
    found = compare(np.ones((1, 2, 9), bool), None)
    assert found.may_be_best.tolist() == [True]
    assert not len(found.p)


def test_one_group_leaves_nobody_out() -> None:
    answers = np.stack([np.ones((2, 50), bool), np.zeros((2, 50), bool)])
    found = compare(answers, np.full(50, "lot"))
    assert not found.differs.any()
    assert found.may_be_best.all()


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.data())
def test_among_the_best_equals_a_naive_loop(difference: list[float], data: st.DataObject) -> None:
    p = data.draw(st.lists(st.floats(0, 1), min_size=6, max_size=6))
    may = [True] * 4
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    for (a, b), by, two_sided in zip(pairs, difference, p, strict=True):
        if by != 0 and 3 * two_sided / 2 < 0.05:
            may[b if by > 0 else a] = False
    assert among_best(np.array(difference), np.array(p), 4).tolist() == may


def best_kept(
    deviations: np.ndarray, seeds: int, lots: int, behind: float = 0.0, grids: int = 400
) -> tuple[float, float]:
    """Share of the grids that keep the first variant, the best, and how many it keeps of all.

    Variants vary by seed, lot and part, each as its own of the `deviations` (V,) says; the others
    are `behind` the first by up to so much.
    """
    rng = np.random.default_rng(2)
    first, second = np.triu_indices(len(deviations), 1)
    nothing = np.zeros(len(first))
    own, mean = deviations[:, None, None], -np.linspace(0, behind, len(deviations))[:, None, None]
    kept = []
    for _ in range(grids):
        lot = rng.normal(0, 0.06, (len(own), 1, lots))
        seed = rng.normal(0, 0.015 * (seeds > 1), (len(own), seeds, 1))
        cells = mean + own * (lot + seed + rng.normal(0, 0.04, (len(own), seeds, lots)))
        pairs = Units(cells[first] - cells[second], np.ones(lots), nothing, nothing)
        paired = estimate_pairs(MeanSquares.of(pairs))
        kept.append(among_best(paired.mean, paired.p_values(), len(own)))
    return float(np.mean(kept, 0)[0]), float(np.sum(kept, 1).mean())


@pytest.mark.parametrize("lots", [3, 5, 20])
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("unlike", [0.0, 0.6])
def test_the_truly_best_is_lost_in_at_most_5_percent(seeds: int, lots: int, unlike: float) -> None:
    deviations = np.exp(np.random.default_rng(3).normal(0, unlike, 12))
    kept, _ = best_kept(deviations, seeds, lots)
    assert kept >= 0.95 - 0.015  # 400 grids scatter by 1.1 points


def test_with_five_lots_few_variants_far_behind_may_be_the_best() -> None:
    kept, of_twelve = best_kept(np.ones(12), 3, 5, behind=0.6)
    assert kept >= 0.95
    assert of_twelve < 5
