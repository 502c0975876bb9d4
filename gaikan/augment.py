"""Augmentation of a batch, one draw a batch: it costs next to nothing and works as well."""

import numpy as np
import torch
from torch import Tensor

from gaikan.config import AugmentConfig


def move(images: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The batch (B, C, H, W), any dtype, shifted and flipped as one; edges are repeated."""
    height, width = images.shape[2:]
    rows, columns = torch.arange(height), torch.arange(width)
    if config.shift:
        dy, dx = rng.integers(-config.shift, config.shift + 1, 2).tolist()
        rows, columns = (rows + dy).clamp(0, height - 1), (columns + dx).clamp(0, width - 1)
    if config.flip in ("vertical", "both") and rng.random() < 0.5:
        rows = rows.flip(0)
    if config.flip in ("horizontal", "both") and rng.random() < 0.5:
        columns = columns.flip(0)
    device = images.device
    return images.index_select(2, rows.to(device)).index_select(3, columns.to(device))


def light(normalised: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The normalised batch with its brightness moved and sensor noise added."""
    if config.brightness:
        normalised = normalised + float(rng.uniform(-config.brightness, config.brightness))
    if config.noise:
        normalised = normalised + config.noise * torch.randn_like(normalised)
    return normalised
