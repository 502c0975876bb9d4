"""Mistakes to be planted in the harness, and which of them `gaikan check` catches.

`python bench/regressions.py` trains the smoke grid as it is and with each mistake, checks each
against the first, and prints the table of bench/README.md. The configuration and the manifest
stay what they were: only the figures can tell.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

import gaikan.cell
from gaikan.anchors import ANCHORS, FitPart
from gaikan.networks import Embedder
from gaikan.seeds import stream
from gaikan.styles.siamese import Siamese
from gaikan.styles.triplet import Triplet
from gaikan.train import FitData, Recipe, channel_statistics

Plant = AbstractContextManager[Any]


def wrong_anchors() -> Plant:
    """Anchors in the reverse order of classes."""

    def reversed_order(method: Any) -> Any:
        return lambda part: method(part)[::-1].copy()

    wrong = {name: reversed_order(method) for name, method in ANCHORS.items()}
    return patch.object(gaikan.cell, "ANCHORS", wrong)


def own_statistics() -> Plant:
    """Test images are normalised with their own mean and deviation."""
    right = gaikan.cell.embed

    def embed(embedder: Embedder, images: torch.Tensor, rows: Any = None) -> NDArray[np.float32]:
        if rows is not None or images.dtype != torch.uint8:  # of the train source, or mean images
            return right(embedder, images, rows)
        mean, std = channel_statistics(images, torch.arange(len(images)))
        own = Embedder(embedder.network, mean, std)
        return right(own, images)

    return patch.object(gaikan.cell, "embed", embed)


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
    right = gaikan.cell.fit

    def fit(recipe: Recipe, *arguments: Any) -> Any:
        fewer = recipe.train.model_copy(update={"epochs": recipe.train.epochs // 2})
        return right(replace(recipe, train=fewer), *arguments)

    return patch.object(gaikan.cell, "fit", fit)


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
AT_PREDICTION = ("wrong_anchors", "own_statistics", "dropout")
