"""The cells of a run, trained or from its store, as networks whose parts are judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import GaikanError
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.original_protocol import right_answers
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.grid.cells import keys, run_cells
from gaikan.grid.jobs import Watcher
from gaikan.system.store import Keys, Store
from gaikan.training.cell import Cell

if TYPE_CHECKING:  # Dask is an extra
    from gaikan.grid.dask.runner import Cluster


@dataclass(frozen=True)
class Grid:
    """The networks of all cells, and the cells that gave none."""

    networks: list[EvaluatedNetwork]  # of the default protocol
    stored: list[Keys]  # store keys of each network
    answers: list[dict[str, NDArray[np.bool_]]]  # `right_answers` of the original protocol
    failed: list[FailedCell]


def train_grid(
    todo: list[Cell],
    experiment: Experiment,
    store: Store,
    watcher: Watcher,
    cluster: "Cluster | None",
) -> Grid:
    """Trains the cells that the store lacks. Raises GaikanError where no cell gave a network."""
    train, test = experiment.train, experiment.test
    grid = Grid([], [], [], [])
    finished = run_cells(todo, train, test, store, watcher, cluster)[::-1]
    for cell in todo:
        result = finished.pop()  # with many parts its embeddings are large: not held twice
        if result.trained is None or result.embedded is None:
            grid.failed.append(FailedCell.of(cell, result.failure or "unknown"))
            continue
        network = EvaluatedNetwork.of(cell, result.trained, result.embedded)
        if cell.protocol == "original":
            grid.answers.append(right_answers(network, test))
        else:
            grid.networks.append(network)
            grid.stored.append(keys(cell, train, test))
    if not grid.networks:
        first = grid.failed[0]
        raise GaikanError(f"every cell failed; {first.cell}: {first.reason}")
    return grid
