"""From images to embeddings: the last step that needs torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaikan.networks import Embedder

_BATCH = 128


@torch.inference_mode()
def embed(
    embedder: Embedder, images: Tensor, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Embeddings (N, D) float32 of raw images (N, C, H, W), or of `images[rows]`, in fp32.

    The network is put in eval mode: no dropout.
    """
    embedder.eval()
    device = embedder.mean.device
    index = torch.arange(len(images)) if rows is None else torch.from_numpy(rows)
    embeddings = np.empty((len(index), embedder.embedding_size), np.float32)
    for start in range(0, len(index), _BATCH):
        batch = images[index[start : start + _BATCH].to(images.device)].to(device)
        embeddings[start : start + _BATCH] = embedder(batch).cpu().numpy()
    return embeddings
