"""The plane that a network's embeddings are drawn in: their first two principal components."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]


def project(
    embeddings: NDArray[np.float32], anchors: NDArray[np.float32]
) -> tuple[Floats, Floats, Floats]:
    """Embeddings and anchors in the plane of the embeddings' first two principal components.

    `embeddings` (N, D) and `anchors` (K, D) give points (N, 2), anchor points (K, 2) and the share
    of the variance along each axis (2,), in 0..1. The largest loading of each axis is
    positive, so that a picture keeps its orientation. An axis that the embeddings do not have (one
    sample, D = 1, a collapsed network) is zero.

    By NumPy: importing scikit-learn's PCA would nearly double what `gaikan report` imports (2.3 s
    of processor time beside 2.8 s).
    """
    wide = embeddings.astype(np.float64)
    centred = wide - wide.mean(axis=0)
    components = min(2, *wide.shape)
    if not centred.any():
        axes, explained = np.zeros((components, wide.shape[1])), np.zeros(components)
    else:
        with threadpool_limits(1):  # two threads on a busy machine take 0.3 s, one 5 ms
            variances, vectors = np.linalg.eigh(centred.T @ centred)
        axes = vectors.T[::-1][:components]
        explained = variances[::-1][:components].clip(min=0) / variances.sum()
    largest = axes[np.arange(components), np.abs(axes).argmax(axis=1)]
    axes = axes * np.where(largest < 0, -1.0, 1.0)[:, np.newaxis]
    plane = np.zeros((2, wide.shape[1]))
    plane[:components] = axes
    shares = np.zeros(2)
    shares[:components] = explained
    shifted = anchors.astype(np.float64) - wide.mean(axis=0)
    return centred @ plane.T, shifted @ plane.T, shares
