"""The same cells on the local pool and on a Dask cluster of this machine: what Dask costs.

    python bench/dask_overhead.py OUT [--epochs N] [--rounds N]

Two processes each, in turns. The clock runs from the end of the first epoch to the last result,
so that neither's start counts; the share that was not spent in cells is what the transport, the
progress and uneven ends cost, whatever else the machine does.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

from distributed import LocalCluster
from here import Silent

from gaikan.config.model import Config, GridConfig
from gaikan.config.recipe import TrainConfig
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.grid.cells import cells
from gaikan.grid.dask.runner import Cluster
from gaikan.grid.jobs import Job, Runner
from gaikan.grid.pool import Pool
from gaikan.training.cell import Cell

PROCESSES = 2


@dataclass
class Clock(Silent):
    """Hears when the first epoch has ended."""

    first: list[float] = field(default_factory=list)

    def epoch(self, *_: object) -> None:
        """An epoch of a cell has ended."""
        self.first = self.first or [time.perf_counter()]


@dataclass(frozen=True)
class Took:
    """Seconds of one run: of its cells together, and by the clock."""

    cells: float
    span: float

    @property
    def outside(self) -> float:
        """The share of the processes' time that was not spent in cells."""
        return 1 - self.cells / (PROCESSES * self.span)


def measured(runner: Runner, todo: list[Cell], experiment: Experiment) -> Took:
    clock = Clock()
    jobs = {i: Job(cell, None) for i, cell in enumerate(todo)}
    epochs = todo[0].recipe.train.epochs
    seconds = []
    for _, finished in runner.run(jobs, experiment.train, experiment.test, clock):
        assert finished.failure is None, finished.failure
        seconds.append(finished.seconds)
    span = time.perf_counter() - clock.first[0]
    before = PROCESSES * seconds[0] / epochs  # of the first cells, about
    return Took(sum(seconds) - before, span)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    config = Config(
        seeds=2,
        grid=GridConfig(arch=("mlp",), style=("siamese", "triplet")),
        train=TrainConfig(epochs=asked.epochs),
    )
    experiment = prepare(config)
    todo = cells(config, "cpu", experiment.parts, experiment.train)
    with LocalCluster(
        PROCESSES, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as here:
        cluster = Cluster(here.scheduler_address.removeprefix("tcp://"), {})
        for _ in range(asked.rounds):
            for name, runner in (("local", Pool(asked.out / "work")), ("dask", cluster)):
                took = measured(runner, todo, experiment)
                print(
                    f"{name:5}: {len(todo)} cells, {took.cells / len(todo):.1f} s each, "
                    f"{took.span:.1f} s by the clock, {100 * took.outside:.1f} % outside cells"
                )


if __name__ == "__main__":
    main()
