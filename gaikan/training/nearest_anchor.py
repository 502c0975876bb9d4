"""From distances to decisions: the nearest anchor, how near, and how much nearer than the next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import softmax

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """Decisions on N parts, each array (N,)."""

    predicted: NDArray[np.int64]  # class index; of equally near classes the first
    distance: Floats  # to the nearest anchor
    margin: Floats  # second nearest minus nearest
    ok_margin: Floats | None  # nearest defective class minus ok class; positive is called good
    defect: NDArray[np.int64] | None  # nearest class that is not the good one


def anchor_distances(embeddings: NDArray[np.float32], anchors: NDArray[np.float32]) -> Floats:
    """Euclidean distances (N, K) of embeddings (N, D) to anchors (K, D)."""
    distances: Floats = cdist(embeddings, anchors)
    return distances


def head_distances(
    embeddings: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> Floats:
    """1 - softmax probability, (N, K), of a linear head: weight (K, D), bias (K,).

    Small for a likely class, so that a head's decisions are made and read like anchors'.
    """
    logits = embeddings.astype(np.float64) @ weight.T.astype(np.float64) + bias
    probabilities: Floats = softmax(logits, axis=1)
    return 1 - probabilities


def nearest(distances: Floats) -> NDArray[np.int64]:
    """The class index (N,) of the least of distances (N, K); of equally near classes the first.

    Raises ValueError on a distance that is not a number: argmin would name its class.
    """
    if np.isnan(distances).any():
        raise ValueError("a distance is not a number")
    predicted: NDArray[np.int64] = distances.argmin(1)
    return predicted


def decide(distances: Floats, ok: int | None = None) -> Decision:
    """Decisions from distances (N, K) to K >= 2 classes; `ok` is the index of the good class.

    Raises ValueError on a distance that is not a number.
    """
    predicted = nearest(distances)
    two = np.partition(distances, 1, axis=1)
    ok_margin, defect = None, None
    if ok is not None:
        to_defects = np.delete(distances, ok, axis=1)
        ok_margin = to_defects.min(1) - distances[:, ok]
        defect = to_defects.argmin(1)
        defect += defect >= ok
    return Decision(predicted, two[:, 0], two[:, 1] - two[:, 0], ok_margin, defect)
