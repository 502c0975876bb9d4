"""Architectures. To add one: a file in this folder and a line in `NETWORKS`."""

from gaikan.networks.cnn import Cnn
from gaikan.networks.embedder import Embedder
from gaikan.networks.mlp import Mlp
from gaikan.networks.onnx_backbone import OnnxBackbone
from gaikan.networks.resnet import Resnet
from gaikan.networks.shape import ImageShape, Network

NETWORKS: dict[str, type[Network]] = {"mlp": Mlp, "resnet": Resnet, "cnn": Cnn}

__all__ = ["NETWORKS", "Embedder", "ImageShape", "Network", "OnnxBackbone"]
