"""Bounds of rates: exact ones, how many parts are needed, and cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest, norm

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import (
    LEAST_SPREAD,
    cost_per_1000,
    least_correlation,
    lower_bound_over_groups,
    parts_needed,
    upper_bound,
    upper_bound_over_groups,
    verdict,
)


@given(st.integers(1, 500), st.data())
def test_the_upper_bound_equals_that_of_binomtest(n: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, n))
    one_sided = binomtest(events, n, alternative="less").proportion_ci(0.95)
    assert upper_bound(events, n) == pytest.approx(one_sided.high)


def test_no_escape_in_n_defects_bounds_at_about_3_over_n() -> None:
    assert upper_bound(0, 300) == pytest.approx(3 / 300, rel=0.01)
    assert upper_bound(0, 0) == 1


def test_the_upper_bound_holds_in_at_least_94_percent() -> None:
    rng = np.random.default_rng(0)
    for rate, n in ((0.02, 150), (0.05, 300), (0.002, 400)):
        bounds = np.array([upper_bound(k, n) for k in range(n + 1)])
        assert (bounds[rng.binomial(n, rate, 2000)] >= rate).mean() >= 0.94


def test_over_lots_that_differ_the_upper_bound_holds_in_at_least_94_percent() -> None:
    rng = np.random.default_rng(1)
    lots = np.repeat(np.arange(8), 60).astype(np.str_)
    truth = float(expit(-2.5 + 0.8 * rng.normal(size=1_000_000)).mean())
    chance = expit(-2.5 + 0.8 * rng.normal(size=(500, 8))).repeat(60, axis=1)
    escaped = rng.random(chance.shape) < chance
    held = np.mean([upper_bound_over_groups(events, lots) >= truth for events in escaped])
    pooled = np.mean([upper_bound(int(events.sum()), 480) >= truth for events in escaped])
    assert held >= 0.94
    assert pooled < 0.9  # what counting parts as independent would have promised


def test_without_groups_the_bound_is_the_exact_one_and_with_them_it_is_wider() -> None:
    events = np.zeros(90, bool)
    lots = np.repeat(["a", "b", "c"], 30)
    for count in (0, 4):
        events[:count] = True
        assert upper_bound_over_groups(events, None) == upper_bound(count, 90)
        assert upper_bound_over_groups(events, lots) > upper_bound(count, 90)
    assert upper_bound_over_groups(events, np.repeat("a", 90)) == 1  # says nothing of the next lot


def test_the_lower_bound_equals_that_of_binomtest_and_lots_make_it_lower() -> None:
    events = np.arange(300) < 30
    exact = binomtest(30, 300, alternative="greater").proportion_ci(0.95).low
    assert lower_bound_over_groups(events, None) == pytest.approx(exact)
    assert 0 < lower_bound_over_groups(events, np.arange(300) % 6) < exact
    assert lower_bound_over_groups(events, np.zeros(300, np.int64)) == 0


@pytest.mark.parametrize("lots", [4, 6, 20])
def test_lots_count_as_much_at_no_escape_as_at_one(lots: int) -> None:
    """One escape more is worth about what it is among independent parts."""
    group = np.arange(784) % lots
    none, one = np.zeros(784, bool), np.arange(784) == 0
    bounds = [upper_bound_over_groups(events, group) for events in (none, one)]
    exact = [upper_bound(count, 784) for count in (0, 1)]
    assert exact[0] < bounds[0] < bounds[1]
    assert bounds[1] / bounds[0] < 1.2 * exact[1] / exact[0]


def test_the_least_correlation_is_that_of_lots_that_differ() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(200_000, 1)), rng.normal(size=(200_000, 2))
    margins = (LEAST_SPREAD * shared + own) / np.hypot(1, LEAST_SPREAD)
    for border in (-2.0, -1.0, 0.5):
        seen = np.corrcoef((margins < border).T)[0, 1]
        expected = least_correlation(np.array([norm.cdf(border)]))
        assert expected[0] == pytest.approx(seen, abs=0.01)


@given(st.floats(0.001, 0.5))
def test_parts_needed_are_enough_and_hardly_more(target: float) -> None:
    n = parts_needed(target)
    assert n is not None
    assert upper_bound(0, n) <= target
    assert upper_bound(0, int(0.98 * n) - 2) > target or n <= 3


def test_a_rate_above_the_target_is_never_shown() -> None:
    assert parts_needed(0.01, 0.02) is None


def test_a_verdict_says_what_the_test_set_can_show() -> None:
    assert verdict(0, 500, 0.01, upper_bound(0, 500)) == "shown"
    words = verdict(0, 100, 0.01, upper_bound(0, 100))
    assert words.startswith("not demonstrable with 100 defects; about ")
    assert abs(int(words.split()[-2]) - 300) < 5
    assert verdict(20, 500, 0.01, upper_bound(20, 500)) == "missed: 20 of 500"
    assert "needed at this rate" in verdict(3, 500, 0.01, upper_bound(3, 500))


def test_cost_is_at_the_factorys_defect_rate() -> None:
    factory = FactoryConfig(defect_rate=0.01, escape_cost=200, overkill_cost=2)
    # of 1,000 parts 10 are defective, of which 1 escapes; of 990 good ones 99 are thrown away
    assert cost_per_1000(0.1, 0.1, factory) == pytest.approx(1 * 200 + 99 * 2)
    assert cost_per_1000(0.1, 0.1, FactoryConfig()) is None
