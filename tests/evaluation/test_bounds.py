"""Bounds of rates: exact ones, over lots, and how many parts or lots are needed."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest

from gaikan.evaluation.bounds import (
    Lots,
    lower_bound_over_groups,
    needed,
    upper_bound,
    upper_bound_over_groups,
    upper_bounds_over_groups,
    verdict,
)
from gaikan.evaluation.mean_squares import Units


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


@given(st.floats(0.001, 0.5))
def test_parts_needed_are_enough_and_hardly_more(target: float) -> None:
    n = needed(target)
    assert n is not None
    assert upper_bound(0, n) <= target
    assert upper_bound(0, int(0.98 * n) - 2) > target or n <= 3


def test_a_rate_above_the_target_is_never_shown() -> None:
    assert needed(0.01, 0.02) is None


@pytest.mark.parametrize(
    ("sizes", "escapes", "target"),
    [((40, 60, 100, 50), (0, 0, 0, 0), 0.002), ((40,) * 12, (3, 0, 1, 0, 0, 2) * 2, 0.04)],
)
def test_lots_needed_are_as_many_as_the_bound_asks(
    sizes: Sequence[int], escapes: Sequence[int], target: float
) -> None:
    """Lots like those that were seen, over and over: what is needed shows it."""
    lots = Lots.of(Units.of_events(np.array([escapes], float), np.array(sizes, float)))
    number = needed(target, sum(escapes) / sum(sizes), lots)
    assert number is not None
    for factor, shown in ((1.15, True), (1 / 1.15, False)):
        times = round(factor * number / len(sizes))
        events = np.tile(escapes, times).astype(float)[None]
        more = Units.of_events(events, np.tile(sizes, times).astype(float))
        assert bool(upper_bounds_over_groups(more, 0.95)[0] <= target) is shown


def test_large_lots_say_less_than_as_many_parts_of_small_ones() -> None:
    """At no escape; lots of one part each are parts."""
    parts = []
    for size in (1, 40, 200):
        lots = needed(0.001, lots=Lots(5, 5 * size, size, np.zeros(1)))
        assert lots is not None
        parts.append(size * lots)
    assert parts[0] == pytest.approx(needed(0.001), rel=0.02)
    assert parts[0] < parts[1] < parts[2]


def test_a_verdict_says_what_the_test_set_can_show() -> None:
    def said(escapes: int, n: int) -> str:
        return verdict(np.arange(n) < escapes, None, 0.01).en

    assert said(0, 500) == "shown"
    words = said(0, 100)
    assert words.startswith("not demonstrable with 100 defects; about ")
    assert abs(int(words.split()[-2]) - 300) < 5
    assert said(20, 500) == "missed: 20 of 500"
    assert "needed at this rate" in said(3, 500)
    assert said(0, 0).startswith("not demonstrable with 0 defects; about ")


def test_where_there_are_lots_a_verdict_counts_lots() -> None:
    def said(escapes: int, lots: int) -> str:
        return verdict(np.arange(1000) < escapes, np.arange(1000) % lots, 0.01).en

    assert said(0, 50) == "shown"
    words = said(0, 4)
    assert re.fullmatch(r"not demonstrable with 1000 defects of 4 lots; about \d+ .*", words)
    assert words.endswith(" such lots needed")
    assert re.fullmatch(
        r"not shown by 6 in 1000 defects of 50 lots; about \d+ such lots needed at this rate",
        said(6, 50),
    )
    one_lot = verdict(np.zeros(90, bool), np.zeros(90, np.int64), 0.01)
    assert "defects of 1 lot; about" in one_lot.en
