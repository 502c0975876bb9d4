"""What a network knows: a few of its fit embeddings, and how far a part is from the nearest.

NumPy alone: a bundle on the line scores with it, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 300  # how many fit embeddings are kept, of all classes together
_ROWS = 4096  # scored at a time, so that their distances need no memory to speak of


@dataclass(frozen=True)
class Familiarity:
    """Fit embeddings that stand for all of them: `known` (M, D) float32, M <= `LARGEST`."""

    known: NDArray[np.float32]

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Novelty (N,) of embeddings (N, D): Euclidean distance to the nearest of `known`.

        Higher is more unlike the fit images. The unit is the network's own: `p_values` gives the
        scores of all networks one meaning.
        """
        known = self.known.astype(np.float64)
        squares = np.square(known).sum(1)
        scores = np.empty(len(embeddings), np.float32)
        for start in range(0, len(embeddings), _ROWS):
            some = embeddings[start : start + _ROWS].astype(np.float64)
            # |a - b|^2 = |a|^2 + |b|^2 - 2 a b: one product of matrices.
            nearest = np.square(some).sum(1) + (squares - 2 * some @ known.T).min(1)
            scores[start : start + _ROWS] = np.sqrt(np.maximum(nearest, 0))
        return scores
