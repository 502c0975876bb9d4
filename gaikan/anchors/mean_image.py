"""mean_image: the embedding of the mean training image of each class."""

import numpy as np
from numpy.typing import NDArray

from gaikan.anchors.fit import FitPart


def mean_image(fit: FitPart) -> NDArray[np.float32]:
    """Anchors (K, D), one a class; the mean images are float32, not rounded to uint8."""
    flat = fit.images.reshape(len(fit.images), -1)
    means = fit.class_means(flat).reshape(-1, *fit.images.shape[1:])
    return fit.embed(means)
