"""From images to embeddings: the last step that needs torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaikan.data.limits import at_once
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
    step = at_once(images.shape, _BATCH)
    with exact_convolutions():
        for start in range(0, len(index), step):
            batch = images[index[start : start + step].to(images.device)].to(device)
            embeddings[start : start + step] = embedder(batch).cpu().numpy()
    return embeddings


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Within, convolutions of a GPU are in fp32 where they are asked in it, and repeatable.

    By default they are in TF32, with 10 bits of fp32's 23, and summed in any order.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic
    cudnn.allow_tf32, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.deterministic = before
