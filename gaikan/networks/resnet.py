"""The `resnet`: three residual blocks with batch normalisation, at about the cost of the `mlp`."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape, Network

_FIRST_MAP = 36  # height and width of the first block's map, about, in large images
_CLOSER = 10  # by which the last layer's first weights are divided


class Resnet(Network):
    """(N, C, H, W) float32 -> (N, 128) float32, through blocks of 16, 32 and 64 channels.

    Convolutions have no bias: each is followed at once by batch normalisation, which an exporter
    folds into it. A larger image is pooled after the first layer by the whole factor that brings
    the map nearest to 36 x 36, so that from there on only the first layer's cost grows, with
    the area. Small defects need a map that fine: see bench/README.md, "Large parts". What else was
    tried stands there under "Which small network".
    """

    batch_factor: ClassVar[int] = 2
    learning_rate_factor: ClassVar[float] = 4
    last_layer: ClassVar[str] = "fc"

    def __init__(self, shape: ImageShape) -> None:
        super().__init__(shape)
        channels, height, width = shape
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 16, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(16)
        )
        self.pool = (_factor(height // 2), _factor(width // 2))
        self.block1 = ResidualBlock(16, 16)
        self.block2 = ResidualBlock(16, 32)
        self.block3 = ResidualBlock(32, 64)
        sides = (
            size // 2 // factor for size, factor in zip((height, width), self.pool, strict=True)
        )
        self.quarters = Quarters(*(max(1, side // 4) for side in sides))
        self.fc = nn.Linear(64 * self.quarters.count, EMBEDDING_SIZE)
        # Else images start 3 apart: beyond the margin of `siamese`, which then only pulls (69 % of
        # the terminals right instead of 97).
        with torch.no_grad():
            self.fc.weight.div_(_CLOSER)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images."""
        x = F.relu(self.stem(images), inplace=True)
        if self.pool != (1, 1):
            x = F.max_pool2d(x, self.pool)
        x = self.block2(_halved(self.block1(x)))
        x = self.block3(_halved(x))
        embeddings: Tensor = self.fc(self.quarters(x))
        return embeddings


class ResidualBlock(nn.Module):
    """A 3x3 convolution to more channels, and one whose result is added to what it gets.

    He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, but that the channels
    change before the shortcut, which so needs no convolution of its own.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.conv1 = _normed(channels, filters)
        self.conv2 = _normed(filters, filters)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, filters, H, W)."""
        x = F.relu(self.conv1(x), inplace=True)
        return F.relu(x + self.conv2(x), inplace=True)


class Quarters(nn.Module):
    """The mean of each quarter of a map: what is on a part, and roughly where.

    (N, C, height, width) to (N, C * count); the middle row and column of an odd map are in two
    quarters, and a map of one row or column is not divided along it.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.stride = (max(1, height // 2), max(1, width // 2))
        self.window = (height - height // 2, width - width // 2)
        self.count = min(2, height) * min(2, width)

    def forward(self, features: Tensor) -> Tensor:
        """One row an image."""
        return F.avg_pool2d(features, self.window, self.stride).flatten(1)


def _normed(channels: int, filters: int) -> nn.Sequential:
    """A 3x3 convolution that keeps height and width, and its batch normalisation."""
    conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters))


def _halved(features: Tensor) -> Tensor:
    """The largest of each 2 x 2 pixels; a map of one row or column keeps it."""
    height, width = features.shape[2:]
    return F.max_pool2d(features, (min(2, height), min(2, width)))


def _factor(size: int) -> int:
    """How many pixels to pool into one, so that a map of `size` comes nearest to the target."""
    return max(1, round(size / _FIRST_MAP))
