"""Runs cells on this machine: in a process a core, or on CUDA in one thread of this process."""

import ctypes
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from concurrent.futures.thread import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from gaikan.data.frames import Frames
from gaikan.grid.jobs import Job, Jobs, Results, Watcher, collect
from gaikan.system import machine
from gaikan.system.signals import end_with_parent, starting_workers
from gaikan.training.cell import DataOnDisk, Finished, work

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_TUNABLES = "GLIBC_TUNABLES"


@dataclass(frozen=True)
class Pool:
    """Runs jobs on this machine; meanwhile `folder` holds the images and the heartbeats."""

    folder: Path

    def run(self, jobs: Jobs, train: Frames, test: Frames, watcher: Watcher) -> Results:
        """Results as they come. When a worker dies, the cells that are left get a process each.

        A pool does not say which of its cells killed it; alone, a cell can only fail itself.
        """
        with _shared(self.folder, train, test) as data:
            waiting = dict(jobs)
            try:
                yield from _run(data, waiting, watcher)
            except BrokenProcessPool:
                for i, job in waiting.items():
                    try:
                        yield from _run(data, {i: job}, watcher)
                    except BrokenProcessPool:
                        yield i, Finished(failure="its process was killed (out of memory?)")


@contextmanager
def _shared(folder: Path, train: Frames, test: Frames) -> Iterator[DataOnDisk]:
    """Writes the images to `folder` for the workers to read, and deletes it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)  # a killed run's
    try:
        yield DataOnDisk.write(folder, train, test)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(data: DataOnDisk, waiting: Jobs, watcher: Watcher) -> Results:
    """Results as they come; a job that has ended is taken out of `waiting`."""
    with executor(waiting) as workers:
        for i, future in collect(_LocalCrew(workers, data), dict(waiting), watcher):
            result = future.result()
            del waiting[i]
            yield i, result


def _beat(path: Path, epoch: int, loss: float) -> None:
    """Leaves "epoch loss" in a file; not where the disk is full: only the progress is lost then."""
    with suppress(OSError):
        path.write_text(f"{epoch} {loss}")


@dataclass(frozen=True)
class _LocalCrew:
    """An executor of this machine, and a heartbeat file for each job."""

    executor: Executor
    data: DataOnDisk
    files: dict[int, Path] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)

    def submit(self, number: int, job: Job) -> "Future[Finished]":
        """Hands over a job."""
        self.files[number] = Path(self.data.folder) / f"{number}.heartbeat"
        beat = partial(_beat, self.files[number])
        return self.executor.submit(work, job.cell, self.data, job.trained, beat)

    def beats(self) -> Iterator[tuple[int, int, float]]:
        """The last epoch of each job, where it has changed."""
        for number, path in self.files.items():
            beat = path.read_text() if path.exists() else ""
            if beat != self.last.get(number) and len(parts := beat.split()) == 2:
                self.last[number] = beat
                yield number, int(parts[0]), float(parts[1])


def executor(jobs: Jobs) -> AbstractContextManager[Executor]:
    """Processes of one thread each; on CUDA one thread of this process, which holds the images.

    One thread a cell makes a result independent of the number of cores.
    """
    on_gpu = next(iter(jobs.values())).cell.device == "cuda"
    return ThreadPoolExecutor(1) if on_gpu else processes(len(jobs))


@contextmanager
def processes(n_jobs: int) -> Iterator[Executor]:
    """A process a core, no more than jobs; they end with this process, however it ends."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(machine.cores(), n_jobs), context, _prepare_worker)
    try:
        with starting_workers(), _large_pages():
            pool.submit(int)  # any task starts all of them
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _large_pages() -> Iterator[None]:
    """Processes that start meanwhile allocate in pages of 2 MB, with Linux and glibc 2.35.

    A training step goes through tens of MB: with pages of 4 kB, finding them took 10 to 15 % of
    the step of a cnn. glibc reads its settings when a process starts: they must be set before.
    """
    before = os.environ.get(_TUNABLES)
    os.environ[_TUNABLES] = ":".join(filter(None, [before, "glibc.malloc.hugetlb=1"]))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TUNABLES]
        else:
            os.environ[_TUNABLES] = before


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    end_with_parent()


def keep_freed_memory() -> None:
    """Keeps freed activations for the next batch instead of giving them back to the system.

    They are tens of MB, needed again for every batch; getting the pages anew took 40 % of an
    embedding pass and 8 % of a training step. With glibc only (mallopt(3)).
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**30)
