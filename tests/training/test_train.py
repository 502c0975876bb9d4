"""Trainings, small."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.networks import NETWORKS, Embedder
from gaikan.styles import STYLES
from gaikan.training.cell import Arrays, Cell, work
from gaikan.training.embed import embed
from gaikan.training.nearest_anchor import anchor_distances
from gaikan.training.train import (
    Evaluation,
    FitData,
    Recipe,
    TrainedNetwork,
    TrainingDivergedError,
    build,
    channel_statistics,
    fit,
)


def recipe(style: str, **train: float) -> Recipe:
    settings = {"epochs": 6, "batch_size": 32, "precision": "fp32", "normalise": "source"}
    options = STYLES[style].options_type().model_dump()
    augment = AugmentConfig(shift=0)
    return Recipe("mlp", style, options, TrainConfig.model_validate(settings | train), augment, 0)


def parts(dtype: type[np.uint8] | type[np.float32] = np.uint8) -> FitData:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    images: Any = rng.integers(0, 120, (120, 1, 8, 8))
    for label in range(3):
        images[labels == label, :, label * 2 : label * 2 + 2] += 90
    return FitData.of(images.astype(dtype), labels, ("a", "b", "c"), "cpu")


def evaluation(score: float) -> Evaluation:
    return Evaluation(score, np.full((1, 128), score, np.float32))


def trained(style: str, data: FitData, **train: float) -> TrainedNetwork:
    return fit(recipe(style, **train), data, lambda _: evaluation(0), lambda epoch, loss: None)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_learns(style: str) -> None:
    data = parts()
    result = trained(style, data)
    points, labels = embed(result.embedder, data.images, np.arange(120)), data.labels.numpy()
    anchors = np.stack([points[:60][labels[:60] == label].mean(0) for label in range(3)])
    predicted = anchor_distances(points[60:], anchors).argmin(1)
    assert (predicted == labels[60:]).mean() > 0.9


@pytest.mark.parametrize("margin", [1.0, 0.01])
def test_siamese_begins_within_its_margin(margin: float) -> None:
    """Else nothing is pushed apart, only pulled together."""
    options = STYLES["siamese"].options_type.model_validate({"margin": margin}).model_dump()
    data = parts()
    begun = build(replace(recipe("siamese"), options=options), data)
    embeddings = begun.embedder.train()(data.images)
    assert (torch.pdist(embeddings) < margin).float().mean() > 0.95


def test_a_seed_gives_the_same_weights() -> None:
    one, two = (trained("triplet", parts()).embedder.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(("scores", "best"), [((0.9, 0.1), 9), ((0.1, 0.9), 10), ((0.5, 0.5), 10)])
def test_the_best_epoch_is_kept(scores: tuple[float, float], best: int) -> None:
    at, seen = dict(zip((9, 10), scores, strict=True)), []

    def evaluate(embedder: Embedder) -> Evaluation:
        seen.append(embedder.state_dict()["network.fc1.weight"].clone())
        return evaluation(scores[len(seen) - 1])

    result = fit(recipe("vanilla", epochs=10), parts(), evaluate, lambda epoch, loss: None)
    assert result.scores == at
    assert result.best_epoch == best
    assert torch.equal(result.embedder.state_dict()["network.fc1.weight"], seen[best - 9])
    assert result.validation is not None
    assert result.validation[0, 0] == np.float32(at[best])


@pytest.mark.parametrize("arch", NETWORKS)
def test_embeddings_are_those_of_the_stored_network(arch: str) -> None:
    """Those of the validation part are kept from choosing the epoch, where it was just trained."""
    data = parts()
    images, labels = data.images.numpy(), data.labels.numpy()
    arrays = Arrays(images, labels, data.classes, images[:7], "")
    asked = replace(recipe("vanilla", epochs=2), arch=arch, augment=AugmentConfig(shift=0.1))
    cell = Cell(asked, np.arange(70), np.arange(70, 120), ("mean_embedding",), "cpu")
    just_trained = work(cell, arrays, None, lambda epoch, loss: None)
    again = work(cell, arrays, just_trained.trained, lambda epoch, loss: None)
    assert just_trained.embedded is not None
    assert just_trained.embedded == again.embedded


def test_an_image_that_is_not_a_number_diverges() -> None:
    data = parts(np.float32)
    data.images[0, 0, 0, 0] = torch.nan
    with pytest.raises(TrainingDivergedError, match="the loss became nan in epoch 1"):
        trained("vanilla", data)


def test_statistics_are_of_the_fit_rows() -> None:
    data = parts().at(np.arange(40))
    mean, std = channel_statistics(data.images, data.rows)
    pixels = data.images[:40].numpy()
    assert mean.item() == pytest.approx(pixels.mean(), rel=1e-5)
    assert std.item() == pytest.approx(pixels.std(), rel=1e-5)


def test_prediction_leaves_dropout_out() -> None:
    data = parts()
    embedder: Embedder = trained("vanilla", data).embedder.train()
    assert (embed(embedder, data.images) == embed(embedder, data.images)).all()
