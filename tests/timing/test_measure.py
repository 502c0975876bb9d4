"""The sampling rules: against a naive count, an independent statistic, and invariances."""

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from small_run import Fake, row

from gaikan.timing.measure import (
    PLANS,
    QUERIES_FOR,
    Rule,
    Turn,
    described,
    over_rounds,
    percentile,
    speedup,
    take_turn,
    throughput,
    warm_up,
)

ROW = row(Fake("cnn-triplet-mean_embedding", 0, {"onnxruntime-int8": 9.0}), "onnxruntime-int8", 1)


def turn(*seconds: float) -> Turn:
    return Turn(np.array(seconds), None, 0.5 * sum(seconds))


class Clock:
    """A clock that only queries move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for name in ("perf_counter", "process_time"):
            monkeypatch.setattr(f"gaikan.timing.measure.time.{name}", lambda: self.now)

    def query(self, *seconds: float) -> "list[float]":
        """Taken in this order, the last again and again; what has been asked."""
        self.asked: list[float] = []
        self.plan = list(seconds)
        return self.asked

    def __call__(self) -> None:
        took = self.plan[min(len(self.asked), len(self.plan) - 1)]
        self.asked.append(took)
        self.now += took


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("took", "rule", "queries"),
    [
        (0.125, Rule(1.0, 3), 8),  # the time takes more queries than the rule's
        (0.125, Rule(0.25, 20), 20),  # the queries take more time than the rule's
        (2.0, Rule(0.5, 1), 1),
    ],
)
def test_a_turn_meets_both_the_time_and_the_queries(
    clock: Clock, took: float, rule: Rule, queries: int
) -> None:
    asked = clock.query(took)
    found = take_turn(clock, rule, typical=took)
    assert len(asked) == len(found.seconds) == queries
    assert found.cpu == pytest.approx(took * queries)


def test_a_quick_case_settles_before_it_is_recorded(clock: Clock) -> None:
    clock.query(0.004, 0.001)
    found = take_turn(clock, Rule(0.0, 5), typical=0.001)
    np.testing.assert_allclose(found.seconds, 0.001)  # the slow first query is not among them


def test_the_device_clock_runs_beside_the_wall_clock(clock: Clock) -> None:
    clock.query(0.5)
    found = take_turn(clock, Rule(0.0, 3), typical=1.0, device=lambda: 0.25)
    assert found.device is not None
    np.testing.assert_allclose(found.device, 0.25)
    np.testing.assert_allclose(found.seconds, 0.5)


def test_warming_up_goes_on_until_two_windows_agree(clock: Clock) -> None:
    asked = clock.query(*[0.05] * 3, *[0.03] * 3, *[0.02] * 3, 0.0199)
    assert warm_up(clock, limit=10) == pytest.approx(0.0199)
    assert len(asked) == 12


def test_warming_up_ends_at_its_limit(clock: Clock) -> None:
    asked = clock.query(0.4)
    assert warm_up(clock, limit=0.3) == pytest.approx(0.4)
    assert len(asked) == 1


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("took", [0.001, 0.03, 0.045, 0.9])
def test_the_rounds_of_a_plan_add_up_to_its_rule(clock: Clock, plan: str, took: float) -> None:
    """And to hardly more: a query that runs over a round's time is taken off the next rounds."""
    rounds = PLANS[plan].rounds
    for rule in (PLANS[plan].single, PLANS[plan].offline):
        turns: list[Turn] = []
        for _ in range(rounds):
            clock.query(took)
            turns.append(take_turn(clock, rule.share(rounds, turns), typical=took))
        fewest = rule.share(rounds).queries
        seconds = sum(float(turn.seconds.sum()) for turn in turns)
        assert min(len(turn.seconds) for turn in turns) >= fewest
        assert fewest * rounds >= rule.queries
        assert seconds >= rule.seconds - 1e-6
        assert seconds <= max(rule.seconds, fewest * rounds * took) + fewest * took + 1e-6


@pytest.mark.parametrize(("percent", "needed"), QUERIES_FOR.items())
def test_a_percentile_is_given_only_from_queries_enough(percent: int, needed: int) -> None:
    assert percentile(np.ones(needed - 1), percent) is None
    assert percentile(np.ones(needed), percent) == 1.0


@given(st.integers(662, 1500), st.integers(1, 2000), st.sampled_from([50, 90, 99]))
def test_a_percentile_is_the_smallest_query_that_so_many_do_not_exceed(
    queries: int, distinct: int, percent: int
) -> None:
    seconds = np.random.default_rng(queries).integers(0, distinct, queries) / 1024
    found = percentile(seconds, percent)
    assert found in seconds
    share = Fraction(sum(value <= found for value in seconds), len(seconds))
    below = Fraction(sum(value < found for value in seconds), len(seconds))
    assert share >= Fraction(percent, 100) > below


def test_the_counts_are_those_of_the_early_stopping_rule() -> None:
    """With no query over the percentile allowed to decide, n queries refute it at 99 %.

    MLPerf: the least n for which the percentile is borne at 99 % confidence when the one slowest
    query is discarded; scipy's binomial as oracle.
    """
    for percent, needed in QUERIES_FOR.items():
        p = 1 - percent / 100
        assert scipy.stats.binom.cdf(1, needed, p) <= 0.01
        assert scipy.stats.binom.cdf(1, needed - 1, p) > 0.01


@pytest.mark.parametrize("rounds", range(1, 40))
def test_the_interval_of_a_median_covers_it_by_the_binomial_law(rounds: int) -> None:
    values = np.random.default_rng(rounds).permutation(rounds).astype(float)
    found = over_rounds(list(values))
    assert found.value == pytest.approx(np.median(values))
    exact = scipy.stats.binom(rounds, 0.5)
    if found.low is None or found.high is None:
        assert 1 - 2 * exact.cdf(0) < 0.95
    else:
        below = int(found.low)  # values are ranks: so many lie below the lower bound
        assert found.high == rounds - 1 - below
        assert 1 - 2 * exact.cdf(below) >= 0.95
        assert 1 - 2 * exact.cdf(below + 1) < 0.95 or below + 1 >= rounds // 2


def test_the_interval_covers_in_simulation() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        found = over_rounds(list(rng.exponential(size=6)))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= math.log(2) <= found.high
    assert 0.95 < hits / 2000 < 0.985


def test_a_slow_minute_that_hits_both_leaves_the_ratio_alone() -> None:
    ours = [turn(1, 1, 1), turn(9, 9, 9), turn(1, 1, 1)]
    theirs = [turn(3, 3, 3), turn(27, 27, 27), turn(3, 3, 3)]
    assert speedup(ours, theirs).value == pytest.approx(3)
    assert speedup(ours, ours).value == 1


def test_throughput_is_images_by_time() -> None:
    assert throughput([turn(2, 2), turn(1, 1), turn(4, 4)], 64).value == pytest.approx(32)


def test_the_columns_of_a_case() -> None:
    case = described(ROW, 2, [turn(*[0.001] * 400), turn(*[0.003] * 400)])
    assert (case.batch_size, case.queries, case.machine) == (2, 800, ROW.machine)
    assert case.p50_ms == pytest.approx(2)
    assert case.p99_ms == case.max_ms == pytest.approx(3)
    assert case.cpu_s_per_1000 == pytest.approx(1000 * 0.5 * 1.6 / 1600)
    assert case.speedup is case.speedup_low is case.speedup_high is None
    assert described(ROW, 2, [turn(0.001)]).p99_ms is None


def test_what_a_raspberry_pi_runs_imports_nothing_heavy() -> None:
    code = (
        "import sys, gaikan.timing.session, gaikan.run_folder.latency_rows;"
        "import gaikan.timing.onnx_runtimes;"
        "print([m for m in ('torch', 'pandas', 'scipy', 'sklearn', 'pydantic', 'onnx', 'openvino')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
