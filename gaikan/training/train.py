"""Training: one network, one style, one seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.data.frames import Images, Labels
from gaikan.errors import GaikanError
from gaikan.networks import NETWORKS, Embedder
from gaikan.seeds import stream
from gaikan.styles import STYLES, Style
from gaikan.training.augment import erase, light, move, warp
from gaikan.training.batches import balanced_batches
from gaikan.training.start import bring_near


class TrainingDivergedError(GaikanError):
    """The loss or the embeddings are no longer numbers; the cell has failed."""


@dataclass(frozen=True)
class Recipe:
    """All that determines a training, but for the images and the split."""

    arch: str
    style: str
    options: dict[str, object]  # the style's own, complete
    train: TrainConfig  # with `precision` and `normalise` resolved
    augment: AugmentConfig
    seed: int


@dataclass(frozen=True)
class FitData:
    """A source's images, resident on the device that trains, and which of them to learn from."""

    images: Tensor  # (M, C, H, W) uint8 or float32
    labels: Tensor  # (M,) int64 in 0..K-1
    classes: tuple[str, ...]
    rows: Tensor  # (N,) int64: the fit part

    @classmethod
    def of(cls, images: Images, labels: Labels, classes: tuple[str, ...], device: str) -> "FitData":
        """From arrays, copied to the device once; all rows."""
        return cls(
            torch.from_numpy(images).to(device),
            torch.from_numpy(labels).to(device),
            classes,
            torch.arange(len(labels), device=device),
        )

    def at(self, rows: Labels) -> "FitData":
        """The same images, of which `rows` (N,) are learned from."""
        return replace(self, rows=torch.from_numpy(rows).to(self.images.device))


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on the validation part."""

    score: float
    embeddings: NDArray[np.float32]  # (N, D) of the part


@dataclass
class TrainedNetwork:
    """A trained network, and how it got there."""

    embedder: Embedder
    style: Style
    losses: list[float] = field(default_factory=list)  # mean of each epoch
    scores: dict[int, float] = field(default_factory=dict)  # epoch -> validation score
    best_epoch: int = 0
    validation: NDArray[np.float32] | None = None  # the embeddings that chose it, (N, D)


def build(recipe: Recipe, data: FitData) -> TrainedNetwork:
    """An untrained network; its initial weights are drawn by torch's random state.

    The last layer's are divided where the fit images would begin too far apart for the style.
    """
    style = STYLES[recipe.style]
    mean, std = channel_statistics(data.images, data.rows)
    _, channels, height, width = data.images.shape
    network = NETWORKS[recipe.arch]((channels, height, width))
    embedder = Embedder(network, mean, std, recipe.train.normalise)
    options = style.options_type(**recipe.options)
    trained = TrainedNetwork(embedder, style(options, data.classes, network.embedding_size))
    # Module.to takes memory_format; its type stubs leave it out.
    embedder.to(data.images.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    trained.style.to(data.images.device)
    if trained.style.reach is not None:
        bring_near(embedder, data.images, data.rows, trained.style.reach)
    return trained


def fit(
    recipe: Recipe,
    data: FitData,
    evaluate: Callable[[Embedder], Evaluation] | None,
    on_epoch: Callable[[int, float], None],
) -> TrainedNetwork:
    """Trains with AdamW on a one-cycle schedule and keeps the epoch that `evaluate` likes best.

    `evaluate` gets the network in eval mode at nine tenths of the epochs and at the end (of up
    to four, at the end alone): to evaluate an epoch costs a quarter of training it. Of equal
    epochs the later is kept; without `evaluate`, the last. `on_epoch` gets the epoch (from 1) and
    its mean loss. Raises TrainingDivergedError.
    """
    device = data.images.device
    rng = stream(recipe.seed, "batches")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(stream(recipe.seed, "weights").integers(2**62)))
        trained = build(recipe, data)
        best: dict[str, Tensor] | None = None
        compared = {round(0.9 * recipe.train.epochs), recipe.train.epochs}
        for epoch, loss in enumerate(_epochs(recipe, data, trained, rng), start=1):
            if not np.isfinite(loss):
                raise TrainingDivergedError(
                    f"the loss became {loss} in epoch {epoch} of {recipe.train.epochs}; "
                    "a lower train.learning_rate may help"
                )
            trained.losses.append(loss)
            on_epoch(epoch, loss)
            if evaluate is not None and epoch in compared:
                trained.embedder.eval()
                found = evaluate(trained.embedder)
                trained.scores[epoch] = found.score
                if best is None or found.score >= trained.scores[trained.best_epoch]:
                    trained.best_epoch, trained.validation = epoch, found.embeddings
                    best = {k: v.clone() for k, v in _modules(trained).state_dict().items()}
    if best is None:
        trained.best_epoch = recipe.train.epochs
    else:
        _modules(trained).load_state_dict(best)
    trained.embedder.eval()
    return trained


def _epochs(
    recipe: Recipe, data: FitData, trained: TrainedNetwork, rng: np.random.Generator
) -> Iterator[float]:
    """Trains epoch by epoch; gives the mean loss of each. The device is waited for at its end."""
    settings, device = recipe.train, data.images.device
    labels, modules = data.labels[data.rows].cpu().numpy(), _modules(trained)
    optimiser = torch.optim.AdamW(
        modules.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    n_batches = len(balanced_batches(labels, settings.batch_size, stream(0, "count")))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * n_batches
    )
    for _ in range(settings.epochs):
        modules.train()
        batches = torch.from_numpy(balanced_batches(labels, settings.batch_size, rng)).to(device)
        total = torch.zeros((), device=device)
        for batch in data.rows[batches]:
            images = move(data.images[batch], recipe.augment, rng)
            images = warp(trained.embedder.normalise(images), recipe.augment, rng)
            images = light(images, recipe.augment, rng)
            images = erase(images, recipe.augment, rng)
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                embeddings = trained.embedder.embed(images)
            loss = trained.style(embeddings, data.labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.detach()
        yield float(total) / n_batches


def _modules(trained: TrainedNetwork) -> torch.nn.ModuleList:
    return torch.nn.ModuleList([trained.embedder, trained.style])


def channel_statistics(images: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (C,) float32 of `images[rows]`, summed in float64.

    The deviation of a constant channel is given as 1.
    """
    total = torch.zeros(images.shape[1], dtype=torch.float64, device=images.device)
    squares = torch.zeros_like(total)
    for chunk in torch.split(rows, 1024):
        values = images[chunk].double()
        total += values.sum((0, 2, 3))
        squares += values.square().sum((0, 2, 3))
    n = len(rows) * images.shape[2] * images.shape[3]
    mean = total / n
    std = (squares / n - mean.square()).clamp_min(0).sqrt()
    return mean.float(), torch.where(std > 1e-6 * mean.abs(), std, 1.0).float()
