"""Runs jobs on the workers of a Dask scheduler, whatever dies meanwhile."""

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import uuid4

from distributed import Client, KilledWorker
from distributed import Future as DaskFuture

from gaikan.data.frames import Frames
from gaikan.errors import GaikanError
from gaikan.grid.dask.board import ALLOWED_DEATHS, Board
from gaikan.grid.dask.worker import TOPIC, AbandonedError, EventBeat, Message, versions, work_here
from gaikan.grid.dask.workers import NobodyError, Workers, ask, connected
from gaikan.grid.jobs import Job, Jobs, Results, Watcher, collect
from gaikan.training.cell import Arrays, Finished

PATIENCE_SECONDS = 60


class _SchedulerGoneError(Exception):
    """The connection is lost, and with it all jobs that were submitted."""


class _ImagesLostError(Exception):
    """All workers that held the images have died, so that Dask has cancelled the jobs."""


@dataclass(frozen=True)
class Cluster:
    """The scheduler at `address` (HOST:PORT), and the `resources` that a worker must have."""

    address: str
    resources: dict[str, float]

    def ask(self, watcher: Watcher) -> Workers:
        """The workers that may run cells now. Raises ConfigError where there are none."""
        with connected(self.address) as client:
            return ask(client, self.resources, watcher.waiting)

    def run(self, jobs: Jobs, train: Frames, test: Frames, watcher: Watcher) -> Results:
        """Results as they come. Raises GaikanError where the scheduler goes and stays away.

        Dask itself tries a job again whose worker died. A job that keeps losing its workers is
        tried again alone, when the others have ended; if its workers die then too, it has failed.
        """
        arrays, board = Arrays.of(train, test), Board(jobs)
        while board.batch():
            with self._joined(watcher) as (client, workers):
                try:
                    crew = _DaskCrew(client, workers, arrays, self.resources, board)
                    while batch := board.batch():
                        yield from _ended(crew, batch, board, watcher)
                except _SchedulerGoneError:
                    watcher.note(
                        f"lost the Dask scheduler at {self.address}; what has ended is stored; "
                        "waiting for it"
                    )
                except _ImagesLostError:
                    watcher.note("every Dask worker with the images died; sending them again")
                    yield from board.all_died()

    @contextmanager
    def _joined(self, watcher: Watcher) -> Iterator[tuple[Client, Workers]]:
        """Waits for the scheduler and a worker. Raises GaikanError after a minute."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with ExitStack() as stack:
            while True:
                try:
                    client = stack.enter_context(connected(self.address))
                    workers = ask(client, self.resources, watcher.waiting)
                    break
                except NobodyError:
                    stack.close()
                left = deadline - time.monotonic()
                if left < 0:
                    raise GaikanError(
                        f"no Dask scheduler with workers at {self.address} for "
                        f"{PATIENCE_SECONDS} s; what has ended is stored, and the same command "
                        "goes on where it stopped"
                    )
                watcher.waiting(f"waiting for Dask at {self.address}, {left:.0f} s more")
                time.sleep(1)
            yield client, workers


def _ended(crew: "_DaskCrew", batch: Jobs, board: Board, watcher: Watcher) -> Results:
    """The batch's results as they come; the board decides on a job whose workers died."""
    for i, future in collect(crew, batch, watcher):
        try:
            result = future.result()
        except (KilledWorker, AbandonedError):
            yield from board.died(i, ALLOWED_DEATHS + 1)
        except CancelledError:
            crew.check()
            raise _ImagesLostError from None
        else:
            board.ended(i)
            yield i, result


def outcome(client: Client, task: DaskFuture[Finished]) -> "Future[Finished]":
    """The future of a task; CancelledError where its result was lost with the last workers.

    The futures of `client.get_executor` never end then (distributed 2026.8).
    """
    future: Future[Finished] = Future()

    async def follow() -> None:
        try:
            future.set_result(await client.gather(task, asynchronous=True))
        except Exception as error:
            future.set_exception(error)

    assert client.loop is not None  # it is connected
    client.loop.add_callback(follow)
    return future


class _DaskCrew:
    """The workers of a cluster. Sends them the images once, and listens to their epochs."""

    def __init__(
        self,
        client: Client,
        workers: Workers,
        arrays: Arrays,
        resources: dict[str, float],
        board: Board,
    ) -> None:
        self.client, self.board = client, board
        self.run = uuid4().hex
        self.heard: SimpleQueue[Message] = SimpleQueue()
        client.subscribe_topic(TOPIC, lambda event: self.heard.put(event[1]))
        board.at_work.clear()
        try:
            # In a list, as a single one would be named by a hash of its bytes.
            (self.images,) = client.scatter(
                [arrays], workers=list(workers.facts), broadcast=True, hash=False
            )
        except OSError:
            self.check()
            raise _ImagesLostError from None
        self.options = {"resources": resources} if resources else {}

    def submit(self, number: int, job: Job) -> "Future[Finished]":
        """Hands over a job."""
        beat = EventBeat(self.run, number)
        key = f"gaikan {job.cell.name}-{uuid4().hex}"  # what Dask's own pages show
        arguments = job.cell, self.images, job.trained, beat, versions()
        return outcome(
            self.client,
            self.client.submit(work_here, *arguments, key=key, pure=False, **self.options),
        )

    def beats(self) -> Iterator[tuple[int, int, float]]:
        """The epochs that have ended. Raises _SchedulerGoneError."""
        self.check()
        while True:
            try:
                beat = self.heard.get_nowait()
            except Empty:
                return
            if beat["run"] == self.run:
                self.board.at_work.add(beat["job"])
                if beat["epoch"]:
                    yield beat["job"], beat["epoch"], beat["loss"]

    def check(self) -> None:
        """Raises _SchedulerGoneError where the connection is lost."""
        connection = self.client.scheduler_comm
        if self.client.status != "running" or connection is None or connection.comm.closed():
            raise _SchedulerGoneError
