"""Mean recall, which every comparison of networks goes by. NumPy alone: picking loads no torch."""

import numpy as np
from numpy.typing import NDArray


def mean_recall(actual: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean over the classes in `actual` (N,), N >= 1, of the share that is so in `predicted` (N,).

    As scikit-learn's `balanced_accuracy_score`, whose import would keep every worker from its
    first step for more than a second.
    """
    parts = np.bincount(actual)
    right = np.bincount(actual[predicted == actual], minlength=len(parts))
    return float(np.mean(right[parts > 0] / parts[parts > 0]))
