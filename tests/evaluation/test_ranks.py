"""Ranks over data sets: against Demšar's published figures, SciPy and simulation."""

import itertools

import numpy as np
import pytest
import scikit_posthocs
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, friedmanchisquare

from gaikan.evaluation.ranks import critical_difference, friedman, joined, ranks

# Demšar (2006), table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets. On "voting"
# the paper ranks the last two 2 and 3, though both are printed as 0.975.
AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
).T


def test_the_ranks_are_those_of_demsars_example() -> None:
    means = ranks(AUC).mean(axis=1)
    assert means == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_friedmans_statistic_is_that_of_demsars_example() -> None:
    test = friedman(ranks(AUC))
    # The paper's is not corrected for ties; these are of 2, 2, 4 and 2 among 14 data sets.
    ties = 1 - (6 + 6 + 60 + 6) / (14 * 4 * (4**2 - 1))
    plain = test.chi2 * ties
    assert plain == pytest.approx(9.28, abs=5e-3)
    assert 13 * plain / (14 * 3 - plain) == pytest.approx(3.69, abs=5e-3)
    assert test.f == pytest.approx(13 * test.chi2 / (14 * 3 - test.chi2))
    assert test.freedom == (3, 39)
    assert test.p < 0.05  # the paper rejects that all are alike


@pytest.mark.parametrize(
    ("variants", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]
)
def test_the_critical_values_are_demsars_table_5(variants: int, q: float) -> None:
    n = variants * (variants + 1)  # so that the root is the one of 1/6
    assert critical_difference(variants, n) * np.sqrt(6) == pytest.approx(q, abs=1e-3)


def test_the_critical_difference_is_that_of_demsars_example() -> None:
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    assert critical_difference(4, 14, level=0.90) == pytest.approx(1.12, abs=5e-3)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_told_apart_as_scikit_posthocs_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    accuracy = rng.random((6, 12)) + np.linspace(0, 0.8, 6)[:, None]
    accuracy[:2, 0] = 0.5  # a tie
    means = ranks(accuracy).mean(axis=1)
    apart = np.abs(means[:, None] - means) >= critical_difference(6, 12)
    assert 0 < apart.sum() < apart.size - 6  # some pairs of each kind
    p = scikit_posthocs.posthoc_nemenyi_friedman(accuracy.T).to_numpy()
    assert (apart == (p <= 0.05)).all()


def test_equal_variants_are_told_apart_as_rarely_as_promised() -> None:
    accuracy = np.random.default_rng(0).random((5, 20_000, 20))  # 20,000 times 20 data sets
    means = np.argsort(np.argsort(accuracy, axis=0), axis=0).mean(axis=2)
    told_apart = np.ptp(means, axis=0) >= critical_difference(5, 20)
    assert 0.04 < told_apart.mean() < 0.055


def test_the_statistic_is_scipys_with_ties_too() -> None:
    rng = np.random.default_rng(1)
    accuracy = rng.integers(0, 4, (6, 9)) / 4
    expected = friedmanchisquare(*accuracy)
    test = friedman(ranks(accuracy))
    assert test.chi2 == pytest.approx(expected.statistic)
    assert test.p_chi2 == pytest.approx(expected.pvalue)


def test_p_is_that_of_all_rearrangements() -> None:
    ranked = np.array([[1, 1, 2], [2, 3, 1], [3, 2, 3.0]])
    seen = np.square(ranked.sum(axis=1)).sum()
    orders = list(itertools.permutations([1, 2, 3]))
    sums = [np.sum(each, axis=0) for each in itertools.product(orders, repeat=3)]
    exact = np.mean([np.square(each).sum() >= seen for each in sums])
    assert friedman(ranked).p == pytest.approx(exact)


def test_p_by_permutation_and_by_chi2_agree_on_many_data_sets() -> None:
    rng = np.random.default_rng(2)
    accuracy = rng.random((7, 60)) + 0.03 * np.arange(7)[:, None]
    test = friedman(ranks(accuracy))
    assert 0.001 < test.p < 0.2
    assert test.p == pytest.approx(chi2.sf(test.chi2, 6), abs=0.015)


def test_two_data_sets_that_agree_prove_little() -> None:
    test = friedman(np.array([[1, 1], [2, 2], [3, 3.0]]))
    assert test.p == pytest.approx(1 / 6)
    assert np.isinf(test.f)


def test_variants_that_tie_everywhere_do_not_differ() -> None:
    test = friedman(ranks(np.full((4, 6), 0.9)))
    assert (test.chi2, test.p, test.p_f) == (0, 1, 1)


@pytest.mark.parametrize(
    ("mean_ranks", "difference", "bars"),
    [
        ([1.0, 2.0, 3.0, 4.0], 0.5, []),
        ([1.0, 2.0, 3.0, 4.0], 1.0, []),  # at the difference itself they differ
        ([1.0, 2.0, 3.0, 4.0], 1.5, [(0, 1), (1, 2), (2, 3)]),
        ([1.0, 2.0, 3.0, 4.0], 9.0, [(0, 3)]),
        ([1.0, 1.2, 3.9, 4.0], 1.0, [(0, 1), (2, 3)]),
        ([2.0, 2.0, 2.0], 0.1, [(0, 2)]),
    ],
)
def test_bars_join_what_lies_within_the_difference(
    mean_ranks: list[float], difference: float, bars: list[tuple[int, int]]
) -> None:
    assert joined(mean_ranks, difference) == bars


@given(st.lists(st.integers(2, 38), min_size=2, max_size=19), st.integers(1, 40))
def test_two_are_under_one_bar_exactly_if_they_cannot_be_told_apart(
    halves: list[int], quarters: int
) -> None:
    at, difference = sorted(half / 2 for half in halves), quarters / 4
    bars = joined(at, difference)
    for a, b in itertools.combinations(range(len(at)), 2):
        under_one = any(first <= a and b <= last for first, last in bars)
        assert under_one == (at[b] - at[a] < difference)
