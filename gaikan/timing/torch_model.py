"""`model.pt`: a module of raw images as plain tensors and a description, for PyTorch to time.

Nothing is pickled but tensors, which `torch.load(weights_only=True)` reads without running code.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gaikan.export.inspector import AnchorDistance, Decide, HeadDistance
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.timing.runtimes import TORCH_MODEL

GEMM_SIZE = 1024
_ANCHORS, _HEAD = "anchors", "weight"  # kinds of decision, named after a tensor (K, D) of each


class DecisionTensors(nn.Module):
    """Raw images -> the `DECISION` of every decision in turn, from one embedding."""

    def __init__(self, embedder: Embedder, distances: dict[str, nn.Module]) -> None:
        super().__init__()
        self.embedder = embedder
        self.decisions = nn.ModuleDict(
            {name: Decide(distance) for name, distance in distances.items()}
        )
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Three outputs for each decision."""
        embeddings = self.embedder(images)
        return tuple(out for decision in self.decisions.values() for out in decision(embeddings))

    @property
    def distances(self) -> dict[str, nn.Module]:
        """The module that gives each decision its distances."""
        return {n: decision.get_submodule("distance") for n, decision in self.decisions.items()}

    def only(self, name: str) -> "DecisionTensors":
        """The same network with the decision `name` alone."""
        return DecisionTensors(self.embedder, {name: self.distances[name]})


class Product(nn.Module):
    """Rows (N, `GEMM_SIZE`) times a square matrix. Its layer is `network`, as an embedder's is."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(GEMM_SIZE, GEMM_SIZE, bias=False)

    def forward(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The product, (N, `GEMM_SIZE`), as the only output."""
        return (self.network(rows),)


def save_network(module: DecisionTensors, arch: str, shape: ImageShape, folder: Path) -> None:
    """Writes a network of `NETWORKS` and its decisions as `TORCH_MODEL`."""
    tensors = {name: distance.state_dict() for name, distance in module.distances.items()}
    kinds = {name: _HEAD if _HEAD in state else _ANCHORS for name, state in tensors.items()}
    description = {
        "arch": arch,
        "shape": shape,
        "normalise": module.embedder.how,
        "decisions": kinds,
        "classes": next(len(state[kinds[name]]) for name, state in tensors.items()),
    }
    _save(module, description, folder)


def save_product(product: Product, folder: Path) -> None:
    """Writes a product of matrices as `TORCH_MODEL`."""
    _save(product, {"arch": None}, folder)


def _save(module: nn.Module, description: dict[str, object], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"description": json.dumps(description), "state": module.state_dict()}
    torch.save(content, folder / TORCH_MODEL)


def load_module(path: Path, device: str = "cpu") -> DecisionTensors | Product:
    """The module of a file, its tensors on `device` and laid out as when they were saved."""
    content = torch.load(path, map_location=device, weights_only=True)
    description = json.loads(content["description"])
    with torch.device("meta"):  # draws no weights: they would only be replaced
        module = Product() if description["arch"] is None else _network(**description)
    module.load_state_dict(content["state"], assign=True)
    return module


def _network(
    arch: str, shape: list[int], normalise: str, decisions: dict[str, str], classes: int
) -> DecisionTensors:
    channels, height, width = shape
    network = NETWORKS[arch]((channels, height, width))
    embedder = Embedder(network, torch.zeros(channels), torch.ones(channels), normalise)
    blank = np.zeros((classes, network.embedding_size), np.float32)
    makers: dict[str, Callable[[], nn.Module]] = {
        _ANCHORS: lambda: AnchorDistance(blank),
        _HEAD: lambda: HeadDistance(blank, blank[:, 0].copy()),
    }
    return DecisionTensors(embedder, {name: makers[kind]() for name, kind in decisions.items()})
