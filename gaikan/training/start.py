"""How far apart the embeddings of an untrained network lie."""

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import functional as F

from gaikan.networks import Embedder
from gaikan.networks.shape import Network

_SAMPLE = 128  # fit images whose distances are measured
_NEAR = 0.3  # of the reach: see bench/README.md, "How siamese starts"


@torch.no_grad()
def bring_near(embedder: Embedder, images: Tensor, rows: Tensor, reach: float) -> None:
    """Divides the last layer's weights and bias where embeddings lie further apart than `reach`.

    Afterwards the mean distance of `images[rows]` (M, C, H, W), of a sample, is 0.3 of `reach`.
    """
    spread = _mean_distance(embedder, images, rows)
    if spread > reach:
        assert isinstance(embedder.network, Network)
        layer = embedder.network.get_submodule(embedder.network.last_layer)
        for parameter in layer.parameters():
            parameter.mul_(_NEAR * reach / spread)


def _mean_distance(embedder: Embedder, images: Tensor, rows: Tensor) -> float:
    """Mean over the pairs of a sample of `rows`, as training's first batch would see them.

    Neither the network's statistics nor torch's random state change.
    """
    device = images.device
    probe = deepcopy(embedder).train()
    sample = rows[torch.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).long().to(device)]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        return float(F.pdist(probe(images[sample])).mean())
