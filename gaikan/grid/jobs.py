"""What is common to the places where cells run: the job, its watcher, results as they come."""

from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Protocol

from gaikan.data.frames import Frames
from gaikan.training.cell import Cell, Finished

_POLL_SECONDS = 0.2


class Watcher(Protocol):
    """Who is told how the grid gets on."""

    def begin(self, cells: list[Cell], stored: list[Cell]) -> None:
        """`cells` are to be run, `stored` need not be."""

    def epoch(self, cell: Cell, epoch: int, loss: float) -> None:
        """An epoch of a cell has ended."""

    def end(self, cell: Cell, finished: Finished) -> None:
        """A cell has ended, well or not."""

    def note(self, line: str) -> None:
        """Something has happened that the user should know."""

    def waiting(self, text: str) -> None:
        """What the cells wait for."""

    def stage(self, text: str) -> None:
        """What is being done now that the cells have ended."""


@dataclass(frozen=True)
class Job:
    """A cell to run; `trained` is its network where only the embeddings are missing."""

    cell: Cell
    trained: bytes | None


Jobs = dict[int, Job]
Results = Generator[tuple[int, Finished], None, None]


class Runner(Protocol):
    """Where cells run."""

    def run(self, jobs: Jobs, train: Frames, test: Frames, watcher: Watcher) -> Results:
        """Every job's result, in the order in which they end."""


class Place(Protocol):
    """Processes that take jobs."""

    def submit(self, number: int, job: Job) -> "Future[Finished]":
        """Hands over a job."""

    def beats(self) -> Iterator[tuple[int, int, float]]:
        """Job, epoch and loss of the epochs that have ended since this was last asked."""


def collect(place: Place, jobs: Jobs, watcher: Watcher) -> Iterator[tuple[int, "Future[Finished]"]]:
    """Submits the jobs, and gives each when it is done, well or not."""
    futures = {place.submit(i, job): i for i, job in jobs.items()}
    while futures:
        done, _ = wait(futures, _POLL_SECONDS, FIRST_COMPLETED)
        for i, epoch, loss in place.beats():
            if i in jobs:  # one may come late, when its job has ended and others are at work
                watcher.epoch(jobs[i].cell, epoch, loss)
        for future in done:
            yield futures.pop(future), future
