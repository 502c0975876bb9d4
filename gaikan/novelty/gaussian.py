"""Where the embeddings of known parts lie: a Gaussian with a covariance shrunk to a ball.

Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal
of Multivariate Analysis 88, 2004: few parts would else leave directions in which anything is new.
What other scores catch of defects that training has not seen stands in bench/README.md.
"""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gaikan.novelty.familiarity import Familiarity
from gaikan.seeds import stream

_LARGEST = 125_000  # numbers in a whitener
_LEAST = 1e-6  # of the mean variance, added to each: a direction without any would count for all


def familiarity(embeddings: NDArray[np.float32]) -> Familiarity:
    """What a network knows, from its embeddings (N, D) of the fit parts that are no news, N >= 1.

    Where all are the same, the distance is Euclidean. Of embeddings of more than 353 numbers it
    looks along fewer directions, drawn at random, so that the whitener takes at most 0.5 MB.
    """
    from sklearn.covariance import ledoit_wolf

    mean = embeddings.mean(0, dtype=np.float64)
    directions = _directions(embeddings.shape[1])
    rows = (embeddings - mean) @ directions
    size = rows.shape[1]
    with threadpool_limits(1):  # on more threads sums are rounded otherwise
        covariance = ledoit_wolf(rows)[0] if len(rows) > 1 else np.zeros((size, size))
        variance = np.trace(covariance) / size
        covariance = covariance + np.eye(size) * (_LEAST * variance if variance > 0 else 1.0)
        # With covariance = L L', |inverse(L) x| is the distance.
        whitener = directions @ np.linalg.inv(np.linalg.cholesky(covariance)).T
    return Familiarity(mean.astype(np.float32), whitener.astype(np.float32))


def _directions(size: int) -> NDArray[np.float64]:
    """Directions (size, R) to look along: all, or as many orthogonal ones as there is room for."""
    if size * size <= _LARGEST:
        return np.eye(size)
    drawn = stream(0, "novelty").normal(size=(size, max(1, _LARGEST // size)))
    orthogonal: NDArray[np.float64] = np.linalg.qr(drawn)[0]
    return orthogonal
