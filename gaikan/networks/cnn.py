"""The `cnn` of the original work, layer for layer, for any image size."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.first_layer import convolved_pooled_relu
from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape, Network

_TARGET_MAP = 9  # height and width of the last feature map of the original's 36 x 39 input


class Cnn(Network):
    """(N, C, H, W) float32 -> (N, 128) float32, through three 3x3 convolutions.

    Layer names and sizes are the original's (`conv1..conv3`, `fc1`, `fc2`), so its weights
    load at 1 x 36 x 39. A larger image is pooled after `conv1` by the whole factor that brings
    the last feature map nearest to 9 x 9: `fc1` would grow with the area otherwise. Pooling
    there and not before `fc1` took 0.4 times the training time at 128 x 128, and validation
    accuracy from 0.60 to 0.65 (magnetic tiles, cnn-vanilla, one seed).
    """

    last_layer: ClassVar[str] = "fc2"

    def __init__(self, shape: ImageShape) -> None:
        super().__init__(shape)
        channels, height, width = shape
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.dropout = nn.Dropout2d(0.25)
        self.pool = (2 * _factor(height // 4), 2 * _factor(width // 4))
        features = 64 * (height // self.pool[0] // 2) * (width // self.pool[1] // 2)
        self.fc1 = nn.Linear(features, 256)
        self.fc2 = nn.Linear(256, EMBEDDING_SIZE)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images.

        Pooling before the ReLU gives the same numbers as after it (both are monotone) on a
        quarter of the pixels.
        """
        x = self._first(images)
        x = F.relu(F.max_pool2d(self.conv2(x), 2), inplace=True)
        x = F.relu(self.conv3(x), inplace=True)
        x = F.relu(self.fc1(torch.flatten(x, 1)), inplace=True)
        return F.relu(self.fc2(x))

    def _first(self, images: Tensor) -> Tensor:
        """conv1, pooling, ReLU and dropout; in one step where that is faster."""
        small = self.conv1.in_channels == 1 and self.pool == (2, 2)
        if not (self.training and small and images.device.type == "cpu"):
            x = F.max_pool2d(self.conv1(images), self.pool)
            return cast(Tensor, self.dropout(F.relu(x, inplace=True)))
        kept = torch.rand(len(images), len(self.conv1.weight)) >= self.dropout.p
        # Dropout scales up what it keeps. Scaling the weights does the same on fewer numbers.
        scale = 1 / (1 - self.dropout.p)
        weight, bias = self.conv1.weight * scale, cast(Tensor, self.conv1.bias) * scale
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            weight, bias = weight.to(dtype), bias.to(dtype)
        return convolved_pooled_relu(images, weight, bias, self.pool, kept)


def _factor(size: int) -> int:
    """How many pixels to pool into one, so that a map of `size` comes nearest to the target."""
    return max(1, round(size / _TARGET_MAP))
