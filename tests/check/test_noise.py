"""Differences of two runs and their errors: against SciPy and scikit-learn, and by simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import nct, t, ttest_ind, ttest_ind_from_stats, ttest_rel
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from gaikan.check.differences import Difference, Pairing
from gaikan.check.measures import MEASURES, measured
from gaikan.check.noise import other_seeds, same_seeds, unpaired
from gaikan.check.verdicts import Line, judge
from gaikan.evaluation.score import score
from gaikan.evaluation.statistics import Estimate
from gaikan.evaluation.verdict_names import INCONCLUSIVE, RAISE, SAME, WORSE

Index = NDArray[np.int64]
Floats = NDArray[np.float64]
Compare = Callable[[Floats, Floats], Estimate]
Seeds = tuple[int, ...]
NAMES = np.array(["ok", "open", "spur"])


def test_the_figures_are_those_of_scikit_learn_and_of_the_tables() -> None:
    rng = np.random.default_rng(0)
    actual = rng.integers(0, 3, 200)
    predicted = np.where(rng.random((2, 200)) < 0.7, actual, rng.integers(0, 3, (2, 200)))
    found = {m.name: m.of(predicted, actual, 0).mean(1) for m in measured(actual, 0)}
    for seed in range(2):
        table = score(NAMES[actual], NAMES[predicted[seed]], "ok")
        assert found["accuracy"][seed] == pytest.approx(accuracy_score(actual, predicted[seed]))
        balanced = balanced_accuracy_score(actual, predicted[seed])
        assert found["balanced_accuracy"][seed] == pytest.approx(balanced)
        assert found["escape_rate"][seed] == pytest.approx(table.escape_rate)
        assert found["overkill_rate"][seed] == pytest.approx(table.overkill_rate)


@pytest.mark.parametrize(("actual", "ok", "n"), [([0, 1], None, 2), ([1, 2], 0, 3), ([0, 0], 0, 3)])
def test_a_rate_without_parts_of_its_kind_is_not_measured(
    actual: list[int], ok: int | None, n: int
) -> None:
    assert len(measured(np.array(actual), ok)) == n


def constant(per_seed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (1, S, 30) that parts do not alter: all noise is the seeds'."""
    return np.broadcast_to(per_seed[None, :, None], (1, len(per_seed), 30))


def test_with_the_same_seeds_it_is_the_paired_t_test_of_scipy() -> None:
    rng = np.random.default_rng(1)
    now, before = rng.random((2, 5))
    p = same_seeds(constant(now), constant(before)).p_values()[0]
    assert p == pytest.approx(ttest_rel(now, before).pvalue)


def test_with_other_seeds_it_is_the_pooled_t_test_of_scipy() -> None:
    rng = np.random.default_rng(2)
    now, before = rng.random(4), rng.random(6)
    p = other_seeds(constant(now), constant(before)).p_values()[0]
    assert p == pytest.approx(ttest_ind(now, before).pvalue)


def test_unpaired_it_is_the_test_of_welch_in_scipy() -> None:
    now, before = (0.8, 0.03, 6.0), (0.9, 0.01, 3.0)  # mean, error, freedom
    found = unpaired(*(Estimate(*(np.array([x]) for x in side)) for side in (now, before)))
    sides = [(m, e * np.sqrt(f + 1), int(f) + 1) for m, e, f in (now, before)]
    expected = ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False)
    assert found.p_values()[0] == pytest.approx(expected.pvalue)


def test_decisions_that_all_stayed_have_no_error_and_borrow_none() -> None:
    rng = np.random.default_rng(3)
    now, before = rng.integers(0, 2, (2, 5, 4, 60)).astype(float)
    now[0] = before[0]
    found = same_seeds(now, before)
    assert found.error[0] == 0
    assert (found.error[1:] > 0).all()


def decisions(
    rng: np.random.Generator, hard: Floats, skill: float, scatter: float, n_seeds: int = 5
) -> Index:
    """Classes (V, S, N) that V networks of S fresh seeds call parts as hard as (V, N)."""
    n_variants, n_parts = hard.shape
    seeds = rng.normal(0, scatter, (1, n_seeds, 1))
    seeds = seeds + rng.normal(0, scatter, (n_variants, n_seeds, 1))
    right = rng.random((n_variants, n_seeds, n_parts)) < expit(skill + seeds + hard[:, None])
    actual = np.arange(n_parts) % 3
    return np.where(right, actual, (actual + rng.integers(1, 3, right.shape)) % 3)


def checked(
    rng: np.random.Generator,
    drop: float,
    scatter: float,
    n_worse: int = 2,
    n_seeds: int = 5,
    compare: Compare = other_seeds,
) -> list[Line]:
    """A check of 14 variants, of which `n_worse` have `drop` less in log odds, the others none."""
    hard = rng.normal(0, 1, (1, 480)) + rng.normal(0, 1, (14, 480))
    before, now = (decisions(rng, hard, 2, scatter, n_seeds) for _ in range(2))
    now[:n_worse] = decisions(rng, hard[:n_worse], 2 - drop, scatter, n_seeds)
    actual = np.arange(480) % 3
    found = []
    for measure in MEASURES:
        values, held = measure.of(now, actual, 0), measure.of(before, actual, 0)
        names = [str(v) for v in range(14)]
        found.append(Difference(names, measure, held.mean((1, 2)), compare(values, held)))
    return judge(found, margin=0.01)


MANNERS = [(n_seeds, compare) for n_seeds in (3, 10) for compare in (same_seeds, other_seeds)]


@pytest.mark.parametrize(("n_seeds", "compare"), MANNERS)
def test_unchanged_recipes_of_other_luck_fail_in_at_most_5_percent_of_checks(
    n_seeds: int, compare: Compare
) -> None:
    rng = np.random.default_rng(4)
    checks = (checked(rng, 0, 0.25, n_seeds=n_seeds, compare=compare) for _ in range(100))
    assert np.mean([any(line.fails for line in check) for check in checks]) <= 0.05


@pytest.mark.parametrize(("n_seeds", "compare"), MANNERS)
@pytest.mark.parametrize("scatter", [0.0, 0.25])
def test_what_is_three_points_worse_is_called_the_same_in_at_most_5_percent_of_lines(
    n_seeds: int, compare: Compare, scatter: float
) -> None:
    rng = np.random.default_rng(6)
    lines = [line for _ in range(20) for line in checked(rng, 0.25, scatter, 14, n_seeds, compare)]
    accuracy = [line.difference for line in lines if line.figure == "accuracy"]
    # Seeds that scatter by 0.25, shared by all variants, move the mean of 20 checks by 0.006.
    assert np.mean(accuracy) == pytest.approx(-0.03, abs=0.002 + 4 * 0.006 * (scatter > 0))
    assert np.mean([line.verdict == SAME for line in lines]) <= 0.05


def test_a_detectable_drop_is_found_in_80_percent_of_runs() -> None:
    rng = np.random.default_rng(7)
    error, freedom = np.full(8, 0.01), np.full(8, 6.0)
    found = []
    for _ in range(2000):
        drawn = error * np.sqrt(rng.chisquare(6, 8) / 6)
        change = Estimate(-true_drop(error, freedom) + rng.normal(0, error), drawn, freedom)
        change.mean[1:] = 0  # Holm's correction begins at one eighth
        lines = judge([Difference(list("abcdefgh"), MEASURES[0], np.full(8, 0.8), change)], 0.01)
        found.append(lines[0].fails)
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def true_drop(error: Floats, freedom: Floats) -> Floats:
    """What a run with this error says that it would find."""
    change = Estimate(np.zeros(8), error, freedom)
    lines = judge([Difference(list("abcdefgh"), MEASURES[0], np.full(8, 0.8), change)], 0.01)
    return np.array([line.detectable for line in lines])


def test_a_detectable_drop_is_that_of_scipys_noncentral_t_and_at_least_the_margin() -> None:
    critical = t.ppf(1 - 0.05 / 8, 6)
    drop = true_drop(np.full(8, 0.01), np.full(8, 6.0))[0]
    assert nct.sf(critical, 6, drop / 0.01) == pytest.approx(0.8, abs=1e-6)
    assert true_drop(np.full(8, 1e-6), np.full(8, 6.0))[0] == pytest.approx(0.01, abs=1e-5)
    assert np.isnan(true_drop(np.zeros(8), np.full(8, 6.0))).all()


def test_a_drop_of_eight_points_is_found_where_it_is_and_nowhere_else() -> None:
    rng = np.random.default_rng(5)
    found = [
        line for _ in range(30) for line in checked(rng, 0.6, 0.1) if line.figure == "accuracy"
    ]
    dropped = [line for line in found if line.variant in ("0", "1")]
    assert np.mean([line.difference for line in dropped]) == pytest.approx(-0.08, abs=0.02)
    assert np.mean([line.fails for line in dropped]) > 0.8
    assert np.mean([line.fails for line in found if line not in dropped]) < 0.01


@pytest.mark.parametrize(
    ("mean", "error", "verdict"),
    [
        (-0.05, 0.004, WORSE),
        (-0.05, 0.04, INCONCLUSIVE),
        (-0.009, 0.0001, SAME),
        (-0.009, 0.001, INCONCLUSIVE),  # significant, and perhaps more than the margin
        (-0.002, 0.01, INCONCLUSIVE),
        (-0.002, 0.003, SAME),
        (0.006, 0.003, INCONCLUSIVE),
        (0.05, 0.04, INCONCLUSIVE),
        (0.03, 0.017, INCONCLUSIVE),  # no drop, but perhaps a rise
        (0.05, 0.004, RAISE),
        (0.009, 0.0001, SAME),
        (-0.05, np.nan, INCONCLUSIVE),
        (0.0, 0.0, SAME),
    ],
)
def test_the_verdict_asks_for_more_than_margin_and_noise(
    mean: float, error: float, verdict: str
) -> None:
    one = Estimate(np.array([mean]), np.array([error]), np.array([9.0]))
    (line,) = judge([Difference(["a"], MEASURES[0], np.array([0.8]), one)], margin=0.01)
    assert line.verdict == verdict
    rate = Estimate(-one.mean, one.error, one.freedom)  # of which more is worse
    (line,) = judge([Difference(["a"], MEASURES[2], np.array([0.8]), rate)], margin=0.01)
    assert line.verdict == verdict


@pytest.mark.parametrize(
    ("mean", "error", "margin"), [(-0.002, 0.003, 0.01), (0.0, 0.004, 0.009), (0.004, 0.006, 0.01)]
)
def test_what_is_the_same_has_its_90_percent_interval_of_scipy_within_the_margin(
    mean: float, error: float, margin: float
) -> None:
    one = Estimate(np.array([mean]), np.array([error]), np.array([9.0]))
    (line,) = judge([Difference(["a"], MEASURES[0], np.array([0.8]), one)], margin)
    low, high = t.interval(0.90, 9, mean, error)
    assert (line.low, line.high) == pytest.approx((low, high))
    tests = t.sf((margin + mean) / error, 9), t.sf((margin - mean) / error, 9)
    assert (line.verdict == SAME) == (max(tests) <= 0.05)


@pytest.mark.parametrize("mean", [0.0, 0.05, -0.05])
def test_fewer_than_three_seeds_have_no_interval_and_no_verdict(mean: float) -> None:
    one = Estimate(np.array([mean]), np.array([0.001]), np.array([9.0]))
    found = Difference(["a"], MEASURES[0], np.array([0.8]), one, few_seeds=True)
    (line,) = judge([found], margin=0.01)
    assert line.verdict == INCONCLUSIVE
    assert np.isnan([line.low, line.high, line.detectable]).all()


@pytest.mark.parametrize(("now", "before"), [((0, 1), (0, 1, 2)), ((7, 8, 9), (0, 1))])
def test_either_side_can_have_too_few_seeds(now: Seeds, before: Seeds) -> None:
    for same_parts in (False, True):
        assert Pairing.of(now, before, same_parts).few_seeds
        assert not Pairing.of((0, 1, 2), (0, 1, 2, 3), same_parts).few_seeds
