"""mean_embedding: the mean of the embeddings of the training images of each class."""

import numpy as np
from numpy.typing import NDArray

from gaikan.anchors.fit import FitPart


def mean_embedding(fit: FitPart) -> NDArray[np.float32]:
    """Anchors (K, D), one a class."""
    return fit.class_means(fit.embeddings)
