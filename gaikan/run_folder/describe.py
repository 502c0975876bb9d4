"""What `manifest.json` says of a run."""

from dataclasses import asdict
from typing import Any

import numpy as np

from gaikan.config.model import Config
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.leaks import Leaks
from gaikan.evaluation.references import MOST
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.trained_grid import Grid
from gaikan.grid.cells import Keys
from gaikan.run_folder.timing_inputs import Inputs
from gaikan.system import machine
from gaikan.system.store import Store
from gaikan.training.cell import Cell


def describe_run(
    config: Config, experiment: Experiment, first: Cell, grid: Grid, leaks: Leaks, store: Store
) -> dict[str, Any]:
    """`manifest.json` but for the wall times; `first` stands for what all cells share."""
    return {
        "name": config.run_name,
        "config": config.model_dump(mode="json"),
        "seeds": list(config.all_seeds),
        "device": first.device,
        "precision": first.recipe.train.precision,
        "normalise": first.recipe.train.normalise,
        "data": experiment.describe(),
        "classes": list(experiment.train.classes),
        "ok": experiment.ok,
        "networks": [
            _describe(network, at) for network, at in zip(grid.networks, grid.stored, strict=True)
        ],
        "failed": [asdict(each) for each in grid.failed],
        "leaks": leaks.describe(),
        "skipped": _skipped(config, experiment),
        "anchors": list(first.anchors),
        "timing_inputs": _keep_inputs(experiment, store),
        "damaged_store_entries": store.damaged,
        "machine": machine.facts(first.device),
    }


def _skipped(config: Config, experiment: Experiment) -> list[dict[str, str]]:
    """What the run leaves out, and why; runtimes that are missing stand in `latency.csv`."""
    test = experiment.test
    reasons = {
        "classical references": no_references(config, experiment),
        "escape and overkill rates": experiment.ok is None and "no class was named good (--ok)",
        "inference timing": not config.timing.enabled and "timing is off",
        "intervals": test.groups is not None
        and len(np.unique(test.groups)) == 1
        and "all test parts are of one group, so nothing shows how groups differ",
    }
    return [{"what": what, "why": why} for what, why in reasons.items() if why]


def no_references(config: Config, experiment: Experiment) -> str | None:
    """Why there are no classical references; None where there are."""
    if config.references == "none":
        return "references are set to none"
    n = len(experiment.train)
    return f"{n} training images: k-NN and SVM take hours with over {MOST}" if n > MOST else None


def _keep_inputs(experiment: Experiment, store: Store) -> str:
    """The store key of what `gaikan time` needs besides the networks."""
    key = Inputs.key(experiment)
    if store.load(key) is None:
        store.save(key, Inputs.of(experiment).pack())
    return key


def _describe(network: EvaluatedNetwork, stored: Keys) -> dict[str, Any]:
    return {
        "network": network.cell.network,
        "seed": network.cell.recipe.seed,
        "store": asdict(stored),
        "recipe": network.description["recipe"],
        "best_epoch": network.description["best_epoch"],
        "losses": network.description["losses"],
        "validation_scores": network.description["validation_scores"],
        "seconds": network.description["seconds"],
    }
