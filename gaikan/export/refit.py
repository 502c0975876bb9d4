"""The picked recipe, trained again on the fit and the validation part together."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaikan.errors import GaikanError
from gaikan.evaluation.experiment import Experiment
from gaikan.export.loss_on_test import Change, changes, refuse_loss
from gaikan.export.source import BundleChoice, ExportSource
from gaikan.grid.cells import keys, run_cells
from gaikan.grid.jobs import Watcher
from gaikan.run_folder.recipes import device_of, recipe_of
from gaikan.system.lock import locked
from gaikan.system.store import Store
from gaikan.training.cell import Cell
from gaikan.training.stored_network import StoredEmbeddings, StoredNetwork


@dataclass(frozen=True)
class Refit:
    """A network that learned from fit and validation images, and how it differs on test."""

    source: ExportSource
    judged: str  # store key of the network whose place it takes
    images: int
    epochs: int
    changes: tuple[Change, ...]

    def describe(self) -> dict[str, object]:
        """As a bundle's card has it."""
        return {
            "judged_network": self.judged,
            "images": self.images,
            "epochs": self.epochs,
            "test": {
                change.figure: {
                    "judged": change.judged,
                    "refit": change.refit,
                    "low": None if np.isnan(change.low) else change.low,
                    "high": None if np.isnan(change.high) else change.high,
                }
                for change in self.changes
            },
            "figures": "metrics, the threshold and what is promised of it are of judged_network, "
            "which learned from the fit part alone; of this network are refit.test and parity",
        }


def refit(
    run: Path, judged: ExportSource, experiment: Experiment, choice: BundleChoice, watcher: Watcher
) -> Refit:
    """Trains the network of `judged` again, for the epochs that validation chose, and compares.

    It is trained once: the run's store keeps it by its own key. Raises ConfigError where others
    trained the network, GaikanError where the training fails, BundleError where test shows that
    something was lost.
    """
    cell, (train, test) = _cell(run, judged, experiment), (experiment.train, experiment.test)
    store = Store(run / "store")
    with locked(run):
        (finished,) = run_cells([cell], train, test, store, watcher)
    if finished.trained is None or finished.embedded is None:
        raise GaikanError(f"refit of {cell.name}: {finished.failure}")
    source = replace(
        judged,
        network=judged.network.model_copy(update={"store": keys(cell, train, test)}),
        embedder=StoredNetwork.unpack(finished.trained).fast_embedder(),
        embedded=StoredEmbeddings.unpack(finished.embedded),
    )
    found = changes(judged, source, experiment, choice.threshold)
    refuse_loss(found, source, experiment, choice)
    key, epochs = judged.network.store.trained, cell.recipe.train.epochs
    return Refit(source, key, len(cell.fit_rows), epochs, found)


def _cell(run: Path, judged: ExportSource, experiment: Experiment) -> Cell:
    """The cell of the judged network, of fewer epochs where an earlier one was best.

    It learns from all training images; nothing is left to choose an epoch by.
    """
    entry = judged.network
    recipe = recipe_of(entry, run)
    parts = experiment.parts[entry.seed]
    return Cell(
        replace(recipe, train=recipe.train.model_copy(update={"epochs": entry.best_epoch})),
        np.sort(np.concatenate([parts.fit, parts.validation])),
        np.arange(0),
        judged.manifest.anchors,
        device_of(judged.manifest),
        good=None if experiment.ok is None else experiment.train.classes.index(experiment.ok),
    )
