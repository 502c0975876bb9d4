"""Augmentation of a batch: where each image lies, how it is lit, and what of it is hidden."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gaikan.config.recipe import AugmentConfig


def move(images: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The batch (B, C, H, W), any dtype, each image shifted and flipped; edges are repeated.

    Whole rows are taken first, then pixels within them: a draw an image costs as little as one
    for all of them.
    """
    n, channels, height, width = images.shape
    rows = _places(n, height, config.shift, config.flip in ("vertical", "both"), rng)
    columns = _places(n, width, config.shift, config.flip in ("horizontal", "both"), rng)
    first = height * torch.arange(n * channels).view(n, channels, 1)  # row of each channel
    from_rows = (first + rows[:, None]).flatten().to(images.device)
    from_columns = columns[:, None, None].to(images.device).expand(-1, channels, height, -1)
    moved = images.reshape(-1, width).index_select(0, from_rows).view(images.shape)
    return moved.gather(3, from_columns)


def _places(n: int, size: int, shift: float, flip: bool, rng: np.random.Generator) -> Tensor:
    """From where along one axis each image's pixels come, (n, size) int64."""
    most = round(shift * size)
    places = np.arange(size) + rng.integers(-most, most + 1, (n, 1))
    if flip:
        places = np.where(rng.random((n, 1)) < 0.5, size - 1 - places, places)
    return torch.from_numpy(places.clip(0, size - 1))


def warp(normalised: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The normalised batch, each image turned and zoomed; a draw an image and, of zoom, an axis.

    A zoom of 0.2 divides or multiplies by up to 1.2.
    """
    if not (config.turn or config.zoom):
        return normalised
    n, most = len(normalised), np.log1p(config.zoom)
    angles = np.deg2rad(rng.uniform(-config.turn, config.turn, n))
    return warped(normalised, angles, np.exp(rng.uniform(-most, most, (n, 2))))


def warped(images: Tensor, angles: NDArray[np.float64], zooms: NDArray[np.float64]) -> Tensor:
    """Images (B, C, H, W) float32 about their centres; edges are repeated.

    First by `zooms` (B, 2), of the height and of the width, then anticlockwise by `angles` (B,),
    in radians.
    """
    height, width = images.shape[2:]
    cos, sin = np.cos(angles), np.sin(angles)
    # From where a pixel comes, (x, y) in half widths and half heights: torch's coordinates.
    across = np.stack([cos, -sin * height / width, 0 * cos], 1) / zooms[:, 1:]
    down = np.stack([sin * width / height, cos, 0 * cos], 1) / zooms[:, :1]
    places = torch.from_numpy(np.stack([across, down], 1)).to(images)
    grid = F.affine_grid(places, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def light(normalised: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The normalised batch, each image's brightness moved by a draw of its own, and noise added."""
    if config.brightness:
        moved = rng.uniform(-config.brightness, config.brightness, (len(normalised), 1, 1, 1))
        normalised = normalised + torch.from_numpy(moved).to(normalised)
    if config.noise:
        normalised = normalised + config.noise * torch.randn_like(normalised)
    return normalised


def erase(normalised: Tensor, config: AugmentConfig, rng: np.random.Generator) -> Tensor:
    """The normalised batch, in each image one rectangle set to 0, the mean of the fit images.

    Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, but for what stands in it.
    """
    if not config.erase:
        return normalised
    n, _, height, width = normalised.shape
    rows = _spans(n, height, config.erase, rng)[:, None, :, None]
    columns = _spans(n, width, config.erase, rng)[:, None, None]
    return normalised.masked_fill((rows & columns).to(normalised.device), 0)


def _spans(n: int, size: int, most: float, rng: np.random.Generator) -> Tensor:
    """In each of `n` rows (n, size) a run of up to `most` * size pixels that are True."""
    lengths = rng.integers(0, round(most * size) + 1, (n, 1))
    starts = rng.integers(0, size - lengths + 1)
    places = np.arange(size)
    return torch.from_numpy((places >= starts) & (places < starts + lengths))
