"""The border between good and defective: against a naive search, and what it promises."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from gaikan.evaluation.bounds import upper_bound_over_groups
from gaikan.evaluation.statistics import LEVEL
from gaikan.run_folder.decisions import DecidedParts
from gaikan.selection.threshold import Border, Borders, level_each

OK = 0
OVERKILL = (0.0, 1.0)  # what a stage that asks for the least overkill weighs


def part(
    defects: NDArray[np.float64], goods: NDArray[np.float64], lots: NDArray[np.int64] | None = None
) -> DecidedParts:
    """Parts with these ok margins; `lots` (N,) of the defective ones first."""
    margin = np.concatenate([defects, goods])
    label = np.repeat([1, OK], [len(defects), len(goods)])
    one = np.ones(len(margin), np.int64)
    nearest = np.where(margin > 0, OK, one)
    p = np.ones(len(margin))
    return DecidedParts(np.arange(len(margin)), label, nearest, one, margin, None, lots, p)


def fitted(some: DecidedParts, level: float, **ceilings: float) -> Border:
    borders = Borders.of(some, OK, level, lots=None)
    assert borders is not None
    return borders.fit(ceilings, OVERKILL)


@cache
def exact(escapes: int, n: int, level: float) -> float:
    return float(binomtest(escapes, n, alternative="less").proportion_ci(level).high)


_margins = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


@given(_margins, _margins, st.floats(0.01, 0.9), st.sampled_from([0.9, 0.99]))
@settings(deadline=None)
def test_it_is_the_one_that_a_naive_search_finds(
    defects: list[int], goods: list[int], ceiling: float, level: float
) -> None:
    n = len(defects)
    # A bound on the very ceiling is under it or not by the last digit.
    assume(all(abs(exact(k, n, level) - ceiling) > 1e-9 for k in range(n + 1)))
    some = part(np.array(defects, float), np.array(goods, float))
    border = fitted(some, level, escape_bound=ceiling)

    def bound(threshold: float) -> float:
        return exact(sum(margin > threshold for margin in defects), len(defects), level)

    def overkills(threshold: float) -> int:
        return sum(margin <= threshold for margin in goods)

    every = np.arange(-21, 21, 0.5).tolist()  # all that can matter: margins are whole numbers
    valid = [threshold for threshold in every if bound(threshold) <= ceiling]
    assert border.holds == bool(valid)
    assert border.threshold is not None
    if valid:
        assert bound(border.threshold) <= ceiling
        assert border.bound == pytest.approx(bound(border.threshold))
        assert overkills(border.threshold) == min(map(overkills, valid))


def test_no_part_lies_on_the_threshold() -> None:
    border = fitted(part(np.arange(-50.0, 0), np.arange(-3.0, 40)), 0.95, escape_bound=0.1)
    assert border.threshold is not None
    assert border.threshold % 1 == 0.5


@given(_margins, _margins, st.floats(0.01, 0.9))
@settings(deadline=None)
def test_the_natural_border_stays_where_the_ceiling_holds_there_and_is_only_made_stricter(
    defects: list[int], goods: list[int], ceiling: float
) -> None:
    some = part(np.array(defects, float), np.array(goods, float))
    borders = Borders.of(some, OK, 0.9, lots=None)
    assert borders is not None
    escapes, n = sum(margin > 0 for margin in defects), len(defects)
    assume(escapes < n)  # else nothing of validation says how strict is strict enough
    for name, value in (("escape_bound", exact(escapes, n, 0.9)), ("escape_rate", escapes / n)):
        assume(abs(value - ceiling) > 1e-9)
        border = borders.fit({name: ceiling})
        if value <= ceiling:
            assert (border.threshold, border.holds) == (None, True)
            assert border.bound == pytest.approx(exact(escapes, n, 0.9))
        elif escapes:
            assert border.threshold is not None
            assert border.threshold > 0
        else:
            assert (border.threshold, border.holds) == (None, False)


def test_a_part_on_the_natural_border_escapes_where_the_nearest_anchor_says_so() -> None:
    some = part(np.array([-1.0, 0.0]), np.ones(1))
    for said, held in ((1, True), (OK, False)):
        nearest = replace(some, predicted=np.array([1, said, OK]))
        borders = Borders.of(nearest, OK, 0.9, lots=None)
        assert borders is not None
        assert (borders.fit({"escape_rate": 0.4}).threshold is None) == held


def test_an_escape_counts_for_what_it_costs() -> None:
    some = part(np.array([-3.0, -2, 1, 2]), np.array([-1.0, 0.5, 1.5, 3, 4]))
    borders = Borders.of(some, OK, 0.95, lots=None)
    assert borders is not None
    dear = borders.fit({"escape_rate": 1}, (100.0, 1.0))
    cheap = borders.fit({"escape_rate": 1}, (1.0, 100.0))
    assert (dear.threshold, cheap.threshold) == (2.5, -1.5)


def test_where_too_few_defects_show_anything_the_strictest_is_marked() -> None:
    border = fitted(part(np.arange(-20.0, 0), np.arange(0.0, 20)), 0.95, escape_bound=0.01)
    assert not border.holds
    assert border.bound == pytest.approx(1 - 0.05 ** (1 / 20))
    assert Borders.of(part(np.zeros(0), np.ones(5)), OK, 0.95, lots=None) is None


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_over_lots_the_bound_is_that_of_the_rates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    margins, lots = rng.integers(-9, 9, 80).astype(float), np.arange(80) % 7
    goods = np.arange(-9.25, 9)  # one between any two thresholds
    all_lots = np.concatenate([lots, np.zeros(len(goods), np.int64)])
    borders = Borders.of(part(margins, goods, all_lots), OK, 0.99, lots=7)
    assert borders is not None
    bounds = [upper_bound_over_groups(margins > t, lots, 0.99) for t in borders.thresholds]
    assert borders.bounds == pytest.approx(bounds)
    for ceiling in (0.1, 0.3, 0.6):
        broken = next((i for i, bound in enumerate(bounds) if bound > ceiling), len(bounds))
        # Nothing after the first that breaks it.
        border = borders.fit({"escape_bound": ceiling}, OVERKILL)
        assert border.holds == (broken > 0)
        assert border.bound == pytest.approx(bounds[max(0, broken - 1)])


def test_what_more_such_lots_would_show_is_what_they_show_where_they_are_the_same_again() -> None:
    margins, goods = -np.arange(40.0), np.arange(1.0, 9)
    lots = np.concatenate([np.zeros(20), np.ones(20), np.zeros(8)]).astype(np.int64)
    few = Borders.of(part(margins, goods, lots), OK, 0.95, lots=8)
    again = [lots[:40] + 2 * i for i in range(4)] + [lots[40:]]
    many = part(np.tile(margins, 4), goods, np.concatenate(again))
    own = Borders.of(many, OK, 0.95, lots=8)
    assert few is not None
    assert own is not None
    assert few.bounds[0] == pytest.approx(own.bounds[0])  # without an escape lots look alike
    assert few.bounds[0] < 0.5 * upper_bound_over_groups(margins > 0, lots[:40])


CEILING, NETWORKS, REPEATS, SKILL = 0.05, 10, 300, 2.0


def kept(level: float, rng: np.random.Generator, spread: float = 0.0) -> tuple[float, float]:
    """Shares of 300 repeats with a pick, and of those whose pick keeps its ceiling on fresh parts.

    Ten networks of the same skill judge parts of their own, so that the true escape rate at any
    threshold is known; the lowest threshold is picked, which has the least overkill. With a
    `spread` the 8 lots differ; fresh parts are of lots that nobody has seen.
    """
    lots = 8 if spread else None
    lot = None if lots is None else np.arange(lots).repeat(60)
    goods = np.linspace(-2, 2, 4000)  # so dense that every lower threshold rejects fewer
    groups = None if lot is None else np.concatenate([lot, np.zeros(4000, np.int64)])
    fresh = rng.normal(0, spread, 5000)
    picks, promises = 0, 0
    for _ in range(REPEATS):
        margins = rng.normal(-SKILL, 1, (NETWORKS, 480))
        if lot is not None:
            margins += rng.normal(0, spread, 8)[lot]
        parts = (part(m, goods, groups) for m in margins)
        borders = [Borders.of(one, OK, level, lots, 2 * CEILING) for one in parts]
        fits = [each.fit({"escape_bound": CEILING}, OVERKILL) for each in borders if each]
        thresholds = [fit.threshold for fit in fits if fit.holds and fit.threshold is not None]
        if thresholds:
            picks += 1
            promises += float(norm.sf(min(thresholds) + SKILL - fresh).mean()) <= CEILING
    return picks / REPEATS, promises / picks


def test_whichever_network_is_picked_keeps_its_ceiling_in_94_percent_of_300_repeats() -> None:
    share, held = kept(level_each(NETWORKS), np.random.default_rng(0))
    assert share == 1
    assert held >= 0.94
    _, naive = kept(LEVEL, np.random.default_rng(0))
    assert naive < 0.8  # the luckiest of ten, bounded as if there were no others


def test_over_lots_that_differ_it_does_so_on_new_lots() -> None:
    share, held = kept(level_each(NETWORKS), np.random.default_rng(1), spread=0.4)
    assert share > 0.9
    assert held >= 0.94
