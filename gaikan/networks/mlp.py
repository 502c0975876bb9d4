"""The `mlp`: three dense layers, small enough for a Raspberry Pi."""

from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape, Network


class Mlp(Network):
    """(N, C, H, W) float32 -> (N, 128) float32, through 512 and 256 units.

    Measured on circuit boards, mlp-triplet, validation accuracy: 96 epochs instead of the cnn's
    24 take it from 0.772 to 0.796, batch normalisation to 0.821; dropout of 0.25 costs a point.
    Twice the batch takes 0.63 of the time at the same accuracy (0.824 instead of 0.823; connector
    terminals 0.753 instead of 0.733; two seeds each): much of a step updates the weights. With
    that batch, 84 epochs are as good as 96: 0.821 and 0.821, siamese 0.797 and 0.795 (fp32, two
    seeds each). Three times the batch takes 0.8 of the time of twice, at 0.810 instead of 0.813 on
    the boards and 0.826 and 0.812 instead of 0.805 and 0.808 on the terminals (bf16, single seeds).
    """

    epochs_factor: ClassVar[float] = 3.5
    batch_factor: ClassVar[int] = 3
    last_layer: ClassVar[str] = "fc3"

    def __init__(self, shape: ImageShape) -> None:
        super().__init__(shape)
        self.fc1 = nn.Linear(prod(shape), 512)
        self.norm1 = nn.BatchNorm1d(512)
        self.fc2 = nn.Linear(512, 256)
        self.norm2 = nn.BatchNorm1d(256)
        self.fc3 = nn.Linear(256, EMBEDDING_SIZE)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images."""
        x = F.relu(self.norm1(self.fc1(torch.flatten(images, 1))), inplace=True)
        x = F.relu(self.norm2(self.fc2(x)), inplace=True)
        return F.relu(self.fc3(x))
