"""Networks with random weights, as a run that was trained would have them."""

from functools import cache

import numpy as np
import torch

from gaikan.export.inspector import AnchorDistance, HeadDistance
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.timing.models import Exporter, TrainedFiles
from gaikan.timing.torch_model import DecisionTensors

SHAPE: ImageShape = (3, 20, 24)


def trained(arch: str, seed: int) -> TrainedFiles:
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        mean, std = torch.rand(3) * 100, 1 + torch.rand(3)
        embedder = Embedder(
            NETWORKS[arch](SHAPE), mean, std, ("source", "local", "image")[seed % 3]
        )
        for module in embedder.modules():
            if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean, -1, 1)  # type: ignore[arg-type]
                torch.nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    distances: dict[str, torch.nn.Module] = {
        "mean_image": AnchorDistance(rng.normal(size=(4, 128)).astype(np.float32))
    }
    if seed % 2:
        head = rng.normal(size=(4, 128)).astype(np.float32)
        distances["head"] = HeadDistance(head, head[:, 0].copy())
    return TrainedFiles(arch, "x", seed, SHAPE, DecisionTensors(embedder, distances))


IMAGES = np.random.default_rng(0).integers(0, 256, (9, *SHAPE), np.uint8)


@cache
def exporter() -> Exporter:
    return Exporter(torch.uint8, 4, ["mean_image"])
