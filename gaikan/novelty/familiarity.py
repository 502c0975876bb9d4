"""What a network knows: where its embeddings of good parts lie, and how far away a part is.

NumPy alone: a bundle on the line scores with it, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Familiarity:
    """A Gaussian of embeddings: `mean` (D,) and `whitener` (D, R), R <= D, both float32.

    The covariance of the embeddings times the whitener is the unit matrix (R, R).
    """

    mean: NDArray[np.float32]
    whitener: NDArray[np.float32]

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Novelty (N,) of embeddings (N, D): the Mahalanobis distance to `mean`.

        |(embedding - mean) whitener|. Higher is more unlike the parts that it was fitted to.
        `p_values` gives the scores of all networks one meaning.
        """
        away = embeddings.astype(np.float64) - self.mean
        scores: NDArray[np.float32] = np.linalg.norm(away @ self.whitener, axis=1).astype(
            np.float32
        )
        return scores
