"""The `mlp`: three dense layers, small enough for a Raspberry Pi."""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape


class Mlp(nn.Module):
    """(N, C, H, W) float32 -> (N, 128) float32, through 512 and 256 units."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.fc1 = nn.Linear(prod(shape), 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, EMBEDDING_SIZE)
        self.dropout = nn.Dropout(0.25)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images."""
        x = F.relu(self.fc1(torch.flatten(images, 1)), inplace=True)
        x = F.relu(self.fc2(self.dropout(x)), inplace=True)
        return F.relu(self.fc3(x))
