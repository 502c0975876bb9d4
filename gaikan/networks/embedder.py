"""From raw image to embedding: normalisation and network."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.local_contrast import local_contrast
from gaikan.networks.shape import Network

_NO_CONTRAST = 1e-6  # variance of an image that has no contrast; that of the fit images is 1


def _image_by_image(images: Tensor) -> Tensor:
    """Each image (N, C, H, W) brought to mean 0 and deviation 1 as a whole."""
    return F.layer_norm(images, images.shape[1:], eps=_NO_CONTRAST)


_FURTHER: dict[str, Callable[[Tensor], Tensor]] = {  # by what `[train] normalise` resolves to
    "source": lambda images: images,
    "image": _image_by_image,
    "local": lambda images: local_contrast(_image_by_image(images)),
}


class Embedder(nn.Module):
    """Raw images (N, C, H, W), uint8 or float32, -> embeddings (N, D) float32.

    `mean` and `std` (C,) are those of the fit images; a constant channel has `std` 1. That is all
    with `how` "source". With "image" each image is then brought to mean 0 and deviation 1
    as a whole, so that exposure does not matter; one that has almost no contrast is not
    stretched. With "local" its local contrast is taken after that.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor, how: str = "source") -> None:
        super().__init__()
        self.network = network
        self.how = how
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1))
        self.register_buffer("std", std.reshape(1, -1, 1, 1))

    @property
    def embedding_size(self) -> int:
        """How many numbers an embedding has, D."""
        assert isinstance(self.network, Network)
        return self.network.embedding_size

    def normalise(self, images: Tensor) -> Tensor:
        """Raw images to float32 as the network takes them, channels last."""
        x = (images.to(torch.float32) - self.mean) / self.std
        return _FURTHER[self.how](x).contiguous(memory_format=torch.channels_last)

    def embed(self, normalised: Tensor) -> Tensor:
        """Embeddings of normalised images; float32 also under autocast."""
        embeddings: Tensor = self.network(normalised).float()
        return embeddings

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of raw images."""
        return self.embed(self.normalise(images))
