"""From raw image to embedding: normalisation and network."""

import torch
from torch import Tensor, nn


class Embedder(nn.Module):
    """(N, C, H, W) uint8 or float32 as the source has them -> (N, 128) float32.

    `mean` and `std` (C,) are of the fit images; a constant channel has `std` 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1))
        self.register_buffer("std", std.reshape(1, -1, 1, 1))

    def normalise(self, images: Tensor) -> Tensor:
        """Raw images to float32 of mean 0 and deviation 1 per channel, channels last."""
        x = (images.to(torch.float32) - self.mean) / self.std
        return x.contiguous(memory_format=torch.channels_last)

    def embed(self, normalised: Tensor) -> Tensor:
        """Embeddings of normalised images; float32 also under autocast."""
        embeddings: Tensor = self.network(normalised).float()
        return embeddings

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of raw images."""
        return self.embed(self.normalise(images))
