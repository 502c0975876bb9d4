"""The cells of a run, trained or from its store, as networks whose parts are judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaikan.cell import Cell
from gaikan.errors import GaikanError
from gaikan.experiment import Experiment
from gaikan.grid import Keys, keys, run_cells
from gaikan.jobs import Watcher
from gaikan.original import right_answers
from gaikan.results import Network
from gaikan.store import Store

if TYPE_CHECKING:  # Dask is an extra
    from gaikan.cluster.runner import Cluster


@dataclass(frozen=True)
class Grid:
    """What came of the cells."""

    networks: list[Network]  # of the default protocol
    stored: list[Keys]  # where each of them is in the store
    answers: list[dict[str, NDArray[np.bool_]]]  # `right_answers` of the original protocol
    failed: list[dict[str, str]]  # cell and reason


def train_grid(
    todo: list[Cell],
    experiment: Experiment,
    store: Store,
    watcher: Watcher,
    cluster: "Cluster | None",
) -> Grid:
    """Runs the cells that the store lacks. Raises GaikanError where none gave a network."""
    train, test = experiment.train, experiment.test
    grid = Grid([], [], [], [])
    finished = run_cells(todo, train, test, store, watcher, cluster)[::-1]
    for cell in todo:
        result = finished.pop()  # with many parts its embeddings are large: not held twice
        if result.trained is None or result.embedded is None:
            grid.failed.append({"cell": cell.name, "reason": result.failure or "unknown"})
            continue
        network = Network.of(cell, result.trained, result.embedded)
        if cell.protocol == "original":
            grid.answers.append(right_answers(network, result.trained, train, test))
        else:
            grid.networks.append(network)
            grid.stored.append(keys(cell, train, test))
    if not grid.networks:
        first = grid.failed[0]
        raise GaikanError(f"every cell failed; {first['cell']}: {first['reason']}")
    return grid
