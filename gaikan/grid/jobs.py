"""Jobs, and what runs and watches them, alike on this machine and on a cluster."""

from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Protocol

from gaikan.data.frames import Frames
from gaikan.training.cell import Cell, Finished

_POLL_SECONDS = 0.2


class Watcher(Protocol):
    """Shows the progress of the grid; each method is called when its sentence becomes true."""

    def begin(self, cells: list[Cell], stored: list[Cell]) -> None:
        """`cells` will be run; the results of `stored` are there already."""

    def epoch(self, cell: Cell, epoch: int, loss: float) -> None:
        """An epoch of a cell has ended."""

    def end(self, cell: Cell, finished: Finished) -> None:
        """A cell has ended, with a result or with a failure."""

    def note(self, line: str) -> None:
        """`line` is something that the user should know."""

    def waiting(self, text: str) -> None:
        """The cells wait for what `text` says."""

    def stage(self, text: str) -> None:
        """The cells have ended, and what `text` says is done now."""


@dataclass(frozen=True)
class Job:
    """A cell to run; `trained` is its network where only the embeddings are missing."""

    cell: Cell
    trained: bytes | None


Jobs = dict[int, Job]
Results = Generator[tuple[int, Finished], None, None]


class Runner(Protocol):
    """Runs jobs, on this machine or on others."""

    def run(self, jobs: Jobs, train: Frames, test: Frames, watcher: Watcher) -> Results:
        """Every job's number and result, in the order in which they end."""


class Crew(Protocol):
    """The processes that jobs are handed to."""

    def submit(self, number: int, job: Job) -> "Future[Finished]":
        """Hands over a job."""

    def beats(self) -> Iterator[tuple[int, int, float]]:
        """Job number, epoch and loss of each epoch that has ended since the last call."""


def collect(crew: Crew, jobs: Jobs, watcher: Watcher) -> Iterator[tuple[int, "Future[Finished]"]]:
    """Submits the jobs; gives number and future of each when it has ended, well or not."""
    futures = {crew.submit(i, job): i for i, job in jobs.items()}
    while futures:
        done, _ = wait(futures, _POLL_SECONDS, FIRST_COMPLETED)
        for i, epoch, loss in crew.beats():
            if i in jobs:  # one may come late, when its job has ended and others are at work
                watcher.epoch(jobs[i].cell, epoch, loss)
        for future in done:
            yield futures.pop(future), future
