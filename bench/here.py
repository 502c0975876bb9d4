"""Runs of the smoke grid in this process, so that what is changed here is changed there."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from gaikan.check.run_answers import CheckedRun
from gaikan.config.model import Config
from gaikan.config.toml_files import load_config
from gaikan.flow import bench_run

FOLDER = Path(__file__).parent
RUN = Path("results/smoke")
BASELINE = Path("results/baseline.json")


def smoke(**overrides: Any) -> Config:
    """`smoke.toml`, with keys replaced."""
    return load_config(FOLDER / "smoke.toml", overrides)


class Silent:
    """A `Watcher` that says nothing."""

    def begin(self, *_: Any) -> None:
        """Cells are about to be trained."""

    epoch = end = note = waiting = stage = begin


@contextmanager
def one_thread(n_jobs: int) -> Iterator[Executor]:
    """As a worker is: one thread a cell."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        yield executor


def train_here(config: Config, out: Path) -> CheckedRun:
    """Runs the grid, cell after cell, and draws nothing."""
    with patch("gaikan.grid.pool.processes", one_thread):
        bench_run.bench(config.model_copy(update={"pictures": False}), out, Silent())
    return CheckedRun.read(out)
