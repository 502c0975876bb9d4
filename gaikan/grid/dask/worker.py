"""What runs on a Dask worker: it says what machine it is, and trains cells, one at a time."""

import math
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from threading import Lock
from typing import Any, TypedDict

import distributed
import torch

from gaikan.errors import ConfigError
from gaikan.grid.pool import keep_freed_memory
from gaikan.styles import STYLES
from gaikan.system import machine
from gaikan.system.code import package_version
from gaikan.system.machine import Hardware, MachineFacts
from gaikan.training.cell import Beat, Cell, Data, Finished, work

TOPIC = "gaikan"
Versions = dict[str, str]

_one_at_a_time = Lock()  # torch has one random state a process


@cache
def versions() -> Versions:
    """What must be alike on driver and worker for the same bytes to come out."""
    of_styles = {style.package for style in STYLES.values() if style.package is not None}
    optional = {package: machine.version(package) for package in of_styles}
    return {
        "gaikan": f"{machine.packages()['gaikan']} (code {package_version()[:8]})",
        "torch": torch.__version__,
        "distributed": metadata.version("distributed"),
        **{package: there for package, there in optional.items() if there is not None},
    }


class WorkerFacts(TypedDict):
    """What a worker is, in plain values: a driver with another gaikan can still read them."""

    machine: dict[str, Any]  # of `MachineFacts`
    versions: Versions
    cuda: bool
    bf16: dict[str, bool]  # as `Hardware` has it


def facts() -> WorkerFacts:
    """The facts of the worker that runs this."""
    here = Hardware.here()
    machine = asdict(MachineFacts.here("cuda" if here.cuda else "cpu"))
    return WorkerFacts(machine=machine, versions=versions(), cuda=here.cuda, bf16=here.bf16)


class Message(TypedDict):
    """An epoch of a job has ended; epoch 0 is the start."""

    run: str
    job: int
    epoch: int
    loss: float


def check_versions(worker: str, installed: Versions, driver: Versions) -> None:
    """Raises ConfigError naming the worker and both versions of the first that differs."""
    for name, version in driver.items():
        if installed.get(name) != version:
            raise ConfigError(
                f"Dask worker {worker} has {name} {installed.get(name)}, this machine {version}; "
                "results would differ: install the same on both"
            )


class AbandonedError(Exception):
    """Nobody waits for this cell any longer.

    Not a GaikanError: a cell makes a result of those, and this must not become one.
    """


@dataclass(frozen=True)
class EventBeat:
    """Reports each epoch under TOPIC, and ends a training that nobody waits for."""

    run: str
    job: int

    def __call__(self, epoch: int, loss: float) -> None:
        """Raises AbandonedError where the driver has gone."""
        worker = distributed.get_worker()
        worker.log_event(TOPIC, Message(run=self.run, job=self.job, epoch=epoch, loss=loss))
        task = worker.state.tasks.get(worker.get_current_task())
        if task is None or task.state == "cancelled":
            raise AbandonedError


def work_here(
    cell: Cell, data: Data, trained: bytes | None, beat: Beat, driver: Versions
) -> Finished:
    """`work` as a process of the local pool does it: one thread, freed memory kept.

    Reports epoch 0 at the start. Raises ConfigError where the versions are not the `driver`'s:
    this worker may have joined after the others were asked.
    """
    check_versions(distributed.get_worker().address, versions(), driver)
    with _one_at_a_time:
        beat(0, math.nan)
        keep_freed_memory()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return work(cell, data, trained, beat)
        finally:
            torch.set_num_threads(threads)
