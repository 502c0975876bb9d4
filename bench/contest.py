"""gaikan's way against another, in turns within one run: what the suites here assert."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Run = Callable[[], int]  # does something and returns for how many rows


@dataclass(frozen=True)
class Contest:
    """gaikan's way and the original's, in turns."""

    benchmark: BenchmarkFixture
    capsys: pytest.CaptureFixture[str]

    def ratio(self, ours: Run, theirs: Run, rounds: int) -> float:
        """How many times as many rows a second `ours` does: medians of alternating runs.

        `ours` runs once untimed: imports and the start of processes are no part of either side.
        """
        rates: dict[str, list[float]] = {"original": [], "gaikan": []}

        def timed(side: str, run: Run) -> None:
            started = time.perf_counter()
            rows = run()
            rates[side].append(rows / (time.perf_counter() - started))

        ours()
        # `setup` runs before each round, outside of the fixture's own clock.
        self.benchmark.pedantic(  # type: ignore[no-untyped-call]
            partial(timed, "gaikan", ours), setup=partial(timed, "original", theirs), rounds=rounds
        )
        ratio = median(rates["gaikan"]) / median(rates["original"])
        figures = {side: [round(rate) for rate in values] for side, values in rates.items()}
        self.say(rows_per_second=figures, ratio=round(ratio, 2))
        return ratio

    def say(self, **figures: object) -> None:
        """Prints the figures and keeps them with the run's."""
        self.benchmark.extra_info.update(figures)
        with self.capsys.disabled():
            print(f"\n{self.benchmark.name}: {self.benchmark.extra_info}")
