"""How long a case is measured, and which figures its samples allow.

Needs NumPy alone, so that it runs on a Raspberry Pi.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaikan.language.words import Words, say
from gaikan.run_folder.latency_rows import Row

Seconds = NDArray[np.float64]
Query = Callable[[], object]  # predicts once, from raw images in memory to class names
DeviceQuery = Callable[[], float]  # on resident images; gives seconds by the device's own clock

# MLPerf's early-stopping rule: the fewest queries that bear a percentile at 99 % confidence
# (MLPerf Inference rules, "Early stopping": 64 for p90, 662 for p99).
QUERIES_FOR = {90: 64, 99: 662}
CONFIDENCE = 0.95

_WINDOW_QUERIES, _WINDOW_SECONDS = 3, 0.01
_STABLE = 0.1  # two warm-up windows that differ by less are alike
_SETTLE_SECONDS = 0.003
_NARROW = 0.1  # an interval that is no wider than this share of its median tells enough
_SLACK = 0.25  # by this share, the clock's coarse ticks may make cores look busier
_GRAIN_SECONDS = 1.0  # processor time comes in ticks of up to 10 ms: less says nothing about cores


@dataclass(frozen=True)
class Rule:
    """The least time and the fewest queries of a case, over all rounds; both must be reached."""

    seconds: float
    queries: int

    def share(self, rounds: int, so_far: "Sequence[Turn]" = ()) -> "Rule":
        """The rule for the next of `rounds` rounds, after the turns `so_far`.

        A slow query takes longer than its round has; the later rounds get so much less.
        """
        spent = sum(float(turn.seconds.sum()) for turn in so_far)
        seconds = self.seconds * (len(so_far) + 1) / rounds - spent
        return Rule(max(0.0, seconds), math.ceil(self.queries / rounds))


@dataclass(frozen=True)
class SamplingPlan:
    """How everything is measured: `single` for one image at a time, `offline` for batches.

    With 6 rounds or more, medians get a 95 % interval. `more_rounds` at most are added to a case of
    one image that may be the fastest and whose interval is wide.
    """

    single: Rule
    offline: Rule
    batches: tuple[int, ...]
    rounds: int
    more_rounds: int = 0
    warm_up: float = 0.2  # seconds that a case's warm-up takes at most
    head_batches: tuple[int, ...] | None = None  # of softmax heads; None: all
    longest: float | None = None  # seconds: batches that would take longer are left out

    def rule(self, batch_size: int) -> Rule:
        """The rule for that batch size."""
        return self.single if batch_size == 1 else self.offline


PLANS = {
    "quick": SamplingPlan(Rule(0.05, 66), Rule(0.05, 3), (1, 64), rounds=3, warm_up=0.05),
    "default": SamplingPlan(
        Rule(0.15, 700),
        Rule(0.06, 5),
        (1, 8, 64, 256),
        rounds=6,
        more_rounds=6,
        warm_up=0.05,
        head_batches=(1, 64),
        longest=0.3,
    ),
    "thorough": SamplingPlan(Rule(10, 700), Rule(10, 5), (1, 8, 32, 64, 256, 1024), rounds=10),
}


@dataclass(frozen=True)
class Turn:
    """The measurements of one case in one round of Q queries."""

    seconds: Seconds  # wall clock of each query, (Q,)
    device: Seconds | None  # the device's own clock, (Q,)
    cpu: float  # processor seconds of all threads, over all queries
    disturbed: bool | None = None  # whether other work had the processor too; None: not known


def warm_up(query: Query, limit: float) -> float:
    """Queries until two windows in a row agree within 10 %, or `limit` seconds have passed.

    Returns the median of the last window, seconds.
    """
    ends = time.perf_counter() + limit
    before: float | None = None
    while True:
        window: list[float] = []
        while len(window) < _WINDOW_QUERIES or sum(window) < _WINDOW_SECONDS:
            started = time.perf_counter()
            query()
            window.append(time.perf_counter() - started)
            if time.perf_counter() > ends:
                return float(np.median(window))
        median = float(np.median(window))
        if before is not None and abs(median - before) <= _STABLE * before:
            return median
        before = median


def take_turn(
    query: Query, rule: Rule, typical: float = 0.0, device: DeviceQuery | None = None
) -> Turn:
    """Queries until `rule` is met; `typical` is how long one takes, seconds.

    Another process had the machine before: quick queries first run 3 ms unrecorded, until the
    caches are theirs again. A `device` query follows each, outside the wall clock's figures.
    """
    if typical < _SETTLE_SECONDS:
        ends = time.perf_counter() + _SETTLE_SECONDS
        while time.perf_counter() < ends:
            query()
    seconds: list[float] = []
    on_device: list[float] = []
    cpu, started = time.process_time(), time.perf_counter()
    while len(seconds) < rule.queries or time.perf_counter() - started < rule.seconds:
        before = time.perf_counter()
        query()
        seconds.append(time.perf_counter() - before)
        if device is not None:
            on_device.append(device())
    used = time.process_time() - cpu
    return Turn(np.array(seconds), np.array(on_device) if on_device else None, used)


def too_many_cores(threads: int | None, turns: Iterable[Sequence[Turn]]) -> Words | None:
    """How many cores a runtime used where these are more than its threads, in words; else None."""
    all_turns = [turn for of_case in turns for turn in of_case]
    seconds = sum(float(turn.seconds.sum()) for turn in all_turns)
    if threads is None or seconds < _GRAIN_SECONDS:
        return None
    used = sum(turn.cpu for turn in all_turns) / seconds
    if used <= threads * (1 + _SLACK):
        return None
    return say("too_many_cores", threads=threads, used=f"{used:.1f}")


def percentile(seconds: Seconds, percent: int) -> float | None:
    """The least time that at least `percent` % of the queries do not exceed; None of too few."""
    if len(seconds) < QUERIES_FOR.get(percent, 1):
        return None
    rank = -(-percent * len(seconds) // 100)  # rounded up, exactly
    return float(np.sort(seconds)[rank - 1])


@dataclass(frozen=True)
class TimeEstimate:
    """A median over rounds, with its 95 % interval; without one where rounds are too few."""

    value: float
    low: float | None
    high: float | None

    @property
    def is_wide(self) -> bool:
        """Whether the interval is wider than a tenth of the median; False where there is none."""
        if self.low is None or self.high is None:
            return False
        return self.high - self.low > _NARROW * self.value


def over_rounds(values: Sequence[float]) -> TimeEstimate:
    """The median of one value a round (R,), and its distribution-free interval.

    Of R independent values the k-th smallest and the k-th largest enclose the median with
    probability 1 - 2 P(B < k), B binomial (R, 1/2) (David and Nagaraja, Order Statistics, 2003,
    section 7.1). Queries of one round share its disturbances; rounds are what is independent.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    rounds, k, below = len(ordered), 0, 0.0
    while k < rounds // 2:
        below += math.comb(rounds, k) / 2**rounds
        if 1 - 2 * below < CONFIDENCE:
            break
        k += 1
    value = float(np.median(ordered))
    if k == 0:
        return TimeEstimate(value, None, None)
    return TimeEstimate(value, float(ordered[k - 1]), float(ordered[rounds - k]))


def p50_ms(turns: Sequence[Turn]) -> TimeEstimate:
    """The median of the rounds' medians, milliseconds."""
    return over_rounds([1e3 * float(np.median(turn.seconds)) for turn in turns])


def speedup(turns: Sequence[Turn], reference: Sequence[Turn]) -> TimeEstimate:
    """How many times as fast as the reference: medians of the same round, pair by pair.

    The n-th turn of both must be of one round; what only one of them has at the end is left out.
    """
    pairs = zip(turns, reference, strict=False)
    return over_rounds([float(np.median(b.seconds) / np.median(a.seconds)) for a, b in pairs])


def throughput(turns: Sequence[Turn], batch_size: int) -> TimeEstimate:
    """Images a second: the median over rounds."""
    return over_rounds([batch_size * len(t.seconds) / float(t.seconds.sum()) for t in turns])


def disturbed_share(turns: Sequence[Turn]) -> float | None:
    """Share of the rounds in which other work had the processor too; None where none is known."""
    known = [turn.disturbed for turn in turns if turn.disturbed is not None]
    return sum(known) / len(known) if known else None


def described(
    row: Row, size: int, turns: Sequence[Turn], reference: Sequence[Turn] | None = None
) -> Row:
    """`row` with the figures of a case at a batch `size`, from its turns, one a round."""
    seconds = np.concatenate([turn.seconds for turn in turns])
    device = [turn.device for turn in turns if turn.device is not None]
    p50 = p50_ms(turns)
    images = throughput(turns, size)
    row = replace(
        row,
        batch_size=size,
        queries=len(seconds),
        p50_ms=p50.value,
        p50_low_ms=p50.low,
        p50_high_ms=p50.high,
        p90_ms=percentile(1e3 * seconds, 90),
        p99_ms=percentile(1e3 * seconds, 99),
        max_ms=1e3 * float(seconds.max()),
        device_p50_ms=1e3 * float(np.median(np.concatenate(device))) if device else None,
        images_per_s=images.value,
        images_per_s_low=images.low,
        images_per_s_high=images.high,
        cpu_s_per_1000=1000 * sum(turn.cpu for turn in turns) / (size * len(seconds)),
        disturbed=disturbed_share(turns),
    )
    if reference is None:
        return row
    ratio = speedup(turns, reference)
    return replace(row, speedup=ratio.value, speedup_low=ratio.low, speedup_high=ratio.high)
