"""Architectures. To add one: a file in this folder and a line in `NETWORKS`."""

from collections.abc import Callable

from torch import nn

from gaikan.networks.cnn import Cnn
from gaikan.networks.embedder import Embedder
from gaikan.networks.mlp import Mlp
from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape

NETWORKS: dict[str, Callable[[ImageShape], nn.Module]] = {"mlp": Mlp, "cnn": Cnn}

__all__ = ["EMBEDDING_SIZE", "NETWORKS", "Embedder", "ImageShape"]
