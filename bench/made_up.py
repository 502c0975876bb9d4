"""Training that also learns from made-up defects: good parts that something was put on.

In every batch a class's share of the images are good ones with something put on: a patch of another
image, a flat patch, or a patch of other brightness, of any place, size and turn (after Li, Sohn,
Yoon, Pfister, "CutPaste", CVPR 2021). The network is told only that they are not good: which defect
they may be taken for is left open. No layer is added, and nothing else of the recipe changes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gaikan.config.recipe import AugmentConfig
from gaikan.data.frames import Labels
from gaikan.seeds import stream
from gaikan.styles import Style
from gaikan.styles.distance import mean_of_positive, pairwise
from gaikan.styles.triplet import Triplet
from gaikan.styles.vanilla import Vanilla
from gaikan.training.augment import erase
from gaikan.training.batches import balanced_batches

_FAINT = 0.5  # deviations by which no pixel differs: such a part is still good


def with_defects(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Normalised images (N, C, H, W), in each an ellipse or a rectangle of something else."""
    n, _, height, width = images.shape

    def drawn(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (n, 1, 1))).float()

    middle_y, middle_x = drawn(0.1, 0.9) * height, drawn(0.1, 0.9) * width
    half = drawn(np.log(0.06), np.log(0.4)).exp() * min(height, width)
    other_half = (half * drawn(np.log(0.2), 0).exp()).clamp_min(0.8)
    turn = drawn(0, np.pi)
    down = torch.arange(height)[None, :, None] - middle_y
    across = torch.arange(width)[None, None] - middle_x
    a = (across * turn.cos() + down * turn.sin()) / half
    b = (down * turn.cos() - across * turn.sin()) / other_half
    round_one = torch.from_numpy(rng.random((n, 1, 1)) < 0.5)
    within = torch.where(round_one, a.square() + b.square() < 1, (a.abs() < 1) & (b.abs() < 1))
    return torch.where(within[:, None], _something_else(images, rng), images)


def _something_else(images: Tensor, rng: np.random.Generator) -> Tensor:
    """For each image (N, C, H, W) another one moved about, a pixel of its own, or other light."""
    n, channels, height, width = images.shape
    others = images[torch.from_numpy(rng.permutation(n))]
    moved = int(rng.integers(0, height)), int(rng.integers(0, width))
    pasted = torch.roll(others, moved, (2, 3))
    pixel = torch.from_numpy(rng.integers(0, height * width, (n, 1, 1))).expand(n, channels, 1)
    flat = images.flatten(2).gather(2, pixel)[..., None].expand_as(images)
    way = rng.choice([-1.0, 1.0], (n, 1, 1, 1)) * rng.uniform(0.5, 2.5, (n, 1, 1, 1))
    lit = images + torch.from_numpy(way).float()
    kind = torch.from_numpy(rng.integers(0, 3, (n, 1, 1, 1)))
    return torch.where(kind == 0, pasted, torch.where(kind == 1, flat, lit))


class _MadeUp:
    """Which images of the batch in training are made up, between the steps of it."""

    def __init__(self, good: int) -> None:
        self.good, self.made = good, torch.zeros(0, dtype=torch.bool)
        self.to_come: Iterator[NDArray[np.bool_]] = iter(())

    def batches(self, labels: Labels, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """As many batches as without; the made-up images are drawn as one class more."""
        good = np.flatnonzero(labels == self.good)
        rows = np.concatenate([np.arange(len(labels)), good])
        named = np.concatenate([labels, np.full(len(good), labels.max() + 1)])
        count = len(balanced_batches(labels, size, stream(0, "count")))
        drawn = balanced_batches(named, size, rng)[:count]
        self.to_come = iter(drawn >= len(labels))
        return rows[drawn]

    def put_on(self, images: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
        images = erase(images, config, rng)
        self.made = torch.from_numpy(next(self.to_come))
        if self.made.any():
            before = images[self.made]
            after = with_defects(before, rng)
            images[self.made] = after
            self.made[self.made.clone()] = (after - before).abs().amax((1, 2, 3)) >= _FAINT
        return images

    def vanilla(self, style: Vanilla, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy; of made-up images -log of the share of all classes but the good one."""
        assert style.head is not None
        logits: Tensor = style.head(embeddings)
        made = self.made
        usual: Tensor = F.cross_entropy(
            logits[~made], labels[~made], label_smoothing=style.label_smoothing, reduction="sum"
        )
        defects = torch.arange(logits.shape[1]) != self.good
        away: Tensor = logits[made].logsumexp(1) - logits[made][:, defects].logsumexp(1)
        loss: Tensor = (usual + away.sum()) / len(labels)
        return loss

    def triplet(self, style: Triplet, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Batch-all; made-up images are negatives of the good ones and nothing else."""
        distances, made = pairwise(embeddings), self.made
        same = (labels[:, None] == labels) & ~made[:, None] & ~made
        ignored = same | made[:, None] | (made & (labels != self.good)[:, None])
        first, second = same.clone().fill_diagonal_(False).nonzero(as_tuple=True)
        negatives = distances.masked_fill(ignored, torch.inf)[first]
        return mean_of_positive(
            F.relu(distances[first, second][:, None] + style.margin - negatives)
        )


def _call(style: Style, loss: Callable[[Style, Tensor, Tensor], Tensor], *batch: Tensor) -> Tensor:
    return loss(style, *batch)


@contextmanager
def learned(good: int) -> Iterator[None]:
    """Vanilla and triplet networks trained meanwhile learn from made-up defects of class `good`."""
    made_up, train = _MadeUp(good), "gaikan.training.train"
    with ExitStack() as stack:
        stack.enter_context(patch(f"{train}.balanced_batches", made_up.batches))
        stack.enter_context(patch(f"{train}.erase", made_up.put_on))
        for style, loss in ((Vanilla, made_up.vanilla), (Triplet, made_up.triplet)):
            stack.enter_context(patch.object(style, "forward", partialmethod(_call, loss)))
        yield
