"""How much faster gaikan trains and reads than the original script did.

The original's way is written out here, plainly. Both sides take turns within one run on the
same cores; only the ratio is asserted, as it moves little from machine to machine.
"""

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from contest import Contest, Run
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from gaikan.config.model import Config, GridConfig
from gaikan.config.recipe import TrainConfig
from gaikan.data.sources import read_source
from gaikan.data.split import split
from gaikan.grid.cells import cells
from gaikan.grid.jobs import Job
from gaikan.grid.pool import executor
from gaikan.training.cell import Cell, DataOnDisk, resident
from gaikan.training.train import Evaluation, fit

Triplet = tuple[Tensor, Tensor, Tensor, int]


class OriginalCnn(nn.Module):
    """(N, 1, 36, 39) float32 -> (N, 128) float32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.dropout = nn.Dropout2d(0.25)
        self.fc1 = nn.Linear(64 * 9 * 9, 256)
        self.fc2 = nn.Linear(256, 128)

    def forward(self, images: Tensor) -> Tensor:
        x = self.dropout(F.max_pool2d(F.relu(self.conv1(images)), 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(F.relu(self.conv3(x)), 1)
        return F.relu(self.fc2(F.relu(self.fc1(x))))


class OriginalTriplets(Dataset[Triplet]):
    """One row of a float table with a random row of its class and one of another."""

    def __init__(self, table: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self.table, self.labels, self.rows = table, labels, np.arange(len(labels))

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, row: int) -> Triplet:
        label = self.labels[row]
        positive = np.random.choice(self.rows[(self.labels == label) & (self.rows != row)])
        negative = np.random.choice(self.rows[self.labels != label])
        return self._image(row), self._image(positive), self._image(negative), int(label)

    def _image(self, row: int) -> Tensor:
        return torch.from_numpy(self.table[row].reshape(1, 36, 39))


def original_training(table: NDArray[np.float32], labels: NDArray[np.int64]) -> Run:
    """Each call trains one more epoch."""
    loader = DataLoader(OriginalTriplets(table, labels), batch_size=64, shuffle=True, num_workers=4)
    network = OriginalCnn().train()
    optimiser = torch.optim.Adam(network.parameters())
    criterion = nn.TripletMarginLoss()

    def epoch() -> int:
        for anchor, positive, negative, _ in loader:
            optimiser.zero_grad()
            criterion(network(anchor), network(positive), network(negative)).backward()
            optimiser.step()
        return len(table)

    return epoch


def fit_in_worker(cell: Cell, data: DataOnDisk) -> int:
    """Trains the cell; the rows that it passed. Both sides leave evaluation out."""
    images = resident(data, cell.device)[0].at(cell.fit_rows)
    nothing = Evaluation(0.0, np.empty((0, 128), np.float32))
    trained = fit(cell.recipe, images, lambda _: nothing, lambda epoch, loss: None)
    return len(cell.fit_rows) * len(trained.losses)


# The original asks for four loading processes on any machine, and forks them beside threads.
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes:UserWarning")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_training_is_five_times_as_fast(contest: Contest, tmp_path: Path, all_cores: int) -> None:
    """Rows of the training set passed a second, both sides on all cores of the machine.

    A row costs the original three forward passes; gaikan finds its triplets within the batch.
    The original spreads one training over the cores. gaikan's grid gives each core a training
    of one thread; so as many networks as there are cores train at once, in the grid's own
    workers, and the rate is theirs together: the rows of all by the time that the last ends.
    """
    frames = read_source("terminals")
    parts = split(frames, 0)
    grid = GridConfig(arch=("cnn",), style=("triplet",))
    config = Config(seeds=all_cores, grid=grid, train=TrainConfig(epochs=1))
    todo = cells(config, "cpu", dict.fromkeys(config.all_seeds, parts), frames)
    contest.benchmark.extra_info.update(
        cores=all_cores, images=len(parts.fit), precision=todo[0].recipe.train.precision
    )
    data = DataOnDisk.write(tmp_path, frames, frames.take(parts.validation))
    table = (frames.images[parts.fit] / 255).reshape(len(parts.fit), -1).astype(np.float32)
    jobs = {i: Job(cell, None) for i, cell in enumerate(todo)}
    with executor(jobs) as workers:

        def ours() -> int:
            trainings = [workers.submit(fit_in_worker, cell, data) for cell in todo]
            return sum(training.result() for training in trainings)

        theirs = original_training(table, frames.labels[parts.fit])
        assert contest.ratio(ours, theirs, rounds=3) >= 5


def write_table(path: Path, n_rows: int, n_pixels: int) -> None:
    """A frame table as the original's: pixels float64, an integer class, a failure mode."""
    rng = np.random.default_rng(0)
    label = np.arange(n_rows) % 8
    columns: dict[str, Any] = {f"data{i}": rng.normal(size=n_rows) for i in range(n_pixels)}
    columns |= {"label": label, "fmode": [f"mode {i}" for i in label]}
    pq.write_table(pa.table(columns), path)


def test_a_frame_table_is_read_fifty_times_as_fast(contest: Contest, tmp_path: Path) -> None:
    """gaikan reads the parquet file; the original iterates over a `datasets` cache made before."""
    path = tmp_path / "table.parquet"
    write_table(path, 9473, 1404)
    dataset = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))

    ratio = contest.ratio(
        lambda: len(read_source(str(path))), lambda: len(pd.DataFrame(dataset)), rounds=2
    )
    assert ratio >= 50
