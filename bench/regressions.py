"""Mistakes to be planted in the harness, and which of them `gaikan check` catches.

After `nox -s check` has trained the smoke grid, `python bench/regressions.py OUT` trains it with
each mistake into folders under OUT, compares, and prints the table of bench/README.md. After OUT,
names of functions below are the only mistakes planted. The configuration and the manifest stay
what they were: only figures and frozen networks can tell.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from here import BASELINE, RUN, smoke, train_here
from numpy.typing import NDArray

import gaikan.training.cell
from gaikan.anchors import ANCHORS
from gaikan.check.baseline import Baseline
from gaikan.check.frozen_file import read_frozen
from gaikan.check.frozen_networks import FrozenNetworks
from gaikan.check.outcome import CheckOutcome, Settings, check
from gaikan.check.run_answers import CheckedRun
from gaikan.config.model import Config
from gaikan.networks import Embedder
from gaikan.report.markdown_table import markdown
from gaikan.seeds import stream
from gaikan.styles.siamese import Siamese
from gaikan.styles.triplet import Triplet
from gaikan.training.cell import resident
from gaikan.training.embed import embed
from gaikan.training.train import FitData, Recipe, TrainedNetwork, channel_statistics, fit

Plant = AbstractContextManager[Any]


def wrong_anchors() -> Plant:
    """Anchors in the reverse order of classes."""

    def reversed_order(method: Any) -> Any:
        return lambda part: method(part)[::-1].copy()

    wrong = {name: reversed_order(method) for name, method in ANCHORS.items()}
    return patch.object(gaikan.training.cell, "ANCHORS", wrong)


def own_statistics() -> Plant:
    """Test images are normalised with their own mean and deviation."""

    def wrong(embedder: Embedder, images: torch.Tensor, rows: Any = None) -> NDArray[np.float32]:
        if rows is not None or images.dtype != torch.uint8:  # of the train source, or mean images
            return embed(embedder, images, rows)
        mean, std = channel_statistics(images, torch.arange(len(images)))
        return embed(Embedder(embedder.network, mean, std), images)

    return patch.object(gaikan.training.cell, "embed", wrong)


def dropout() -> Plant:
    """Dropout stays on at prediction."""

    def train(module: torch.nn.Module, mode: bool = True) -> torch.nn.Module:
        module.training = True
        return module

    return patch.object(torch.nn.Dropout2d, "train", train)


@contextmanager
def flipped_margin() -> Iterator[None]:
    """Siamese and triplet loss with the sign of the margin flipped."""
    siamese, triplet = Siamese.__init__, Triplet.__init__

    def init_siamese(self: Siamese, *arguments: Any) -> None:
        siamese(self, *arguments)
        self.target.neg_()

    def init_triplet(self: Triplet, *arguments: Any) -> None:
        triplet(self, *arguments)
        self.margin = -self.margin

    with (
        patch.object(Siamese, "__init__", init_siamese),
        patch.object(Triplet, "__init__", init_triplet),
    ):
        yield


def half_the_epochs() -> Plant:
    """Every training ends after half of its epochs."""

    def wrong(recipe: Recipe, *arguments: Any) -> TrainedNetwork:
        fewer = recipe.train.model_copy(update={"epochs": recipe.train.epochs // 2})
        return fit(replace(recipe, train=fewer), *arguments)

    return patch.object(gaikan.training.cell, "fit", wrong)


def shuffled_labels() -> Plant:
    """5 % of the training source's labels are dealt anew among themselves."""
    right = FitData.of

    def of(images: Any, labels: NDArray[np.int64], *rest: Any) -> FitData:
        rng = stream(0, "planted")
        some = rng.choice(len(labels), len(labels) // 20, replace=False)
        wrong = labels.copy()
        wrong[some] = labels[rng.permutation(some)]
        return right(images, wrong, *rest)

    return patch.object(FitData, "of", of)


PLANTS: dict[str, Callable[[], Plant]] = {
    "anchors in the wrong class order": wrong_anchors,
    "test images normalised by their own statistics": own_statistics,
    "dropout left on at prediction": dropout,
    "margin with its sign flipped": flipped_margin,
    "half the epochs": half_the_epochs,
    "5 % of the labels shuffled": shuffled_labels,
}
AT_PREDICTION = (wrong_anchors, own_statistics, dropout)


def planted(
    plant: Callable[[], Plant],
    config: Config,
    right: CheckedRun,
    baseline: Baseline,
    frozen: FrozenNetworks | None,
    out: Path,
) -> CheckOutcome:
    """The check of a run with the mistake, made by code that has it.

    A run with a mistake at prediction is made with the `right` run's networks.
    """
    if plant in AT_PREDICTION and not out.exists():
        shutil.copytree(right.folder / "store", out / "store")
        for network in right.manifest.networks:
            for entry in (out / "store").glob(f"{network.store.embedded}.*"):
                entry.unlink()
    resident.cache_clear()  # what was prepared without the mistake
    with plant():
        return check(train_here(config, out), lambda: None, baseline, frozen, Settings())


def row(name: str, outcome: CheckOutcome) -> list[str]:
    """A line of the table."""
    worse = {line.variant for line in outcome.worse}
    inference = any(finding.kind == "inference" for finding in outcome.findings)
    accuracy = [line for line in outcome.lines if line.figure == "accuracy"]
    drop = min(accuracy, key=lambda line: line.difference)
    return [
        name,
        *("yes" if found else "no" for found in (inference, outcome.worse)),
        f"{len(worse)} of {len(accuracy)}",
        str(len(outcome.worse)),
        f"{100 * drop.difference:+.1f} ({drop.variant})",
    ]


HEADER = [
    "mistake",
    "by frozen networks",
    "by figures",
    "variants",
    "figures",
    "largest change of accuracy",
]


def main(out: Path, *names: str) -> None:
    config, right = smoke(), CheckedRun.read(RUN)
    baseline = Baseline.read(BASELINE)
    frozen = read_frozen(BASELINE, baseline.frozen)
    rows = []
    for name, plant in PLANTS.items():
        if names and plant.__name__ not in names:
            continue
        outcome = planted(plant, config, right, baseline, frozen, out / plant.__name__)
        rows.append(row(name, outcome))
        print(rows[-1], flush=True)
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
