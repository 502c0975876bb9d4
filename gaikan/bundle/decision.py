"""From distances to classes, as the graph of a bundle decides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def classes_of(
    distances: NDArray[Any], ok: int | None, threshold: float | None
) -> NDArray[np.int64]:
    """Class indices (N,) of distances (N, K); of equally near classes the first.

    With a threshold a part is of class `ok` where the distance to the nearest other class minus
    that to `ok` exceeds it, and else of the nearest other class.
    """
    if threshold is None or ok is None:
        nearest: NDArray[np.int64] = distances.argmin(1)
        return nearest
    to_defect = distances.copy()
    to_defect[:, ok] = np.inf
    is_ok = to_defect.min(1) - distances[:, ok] > threshold
    return np.where(is_ok, ok, to_defect.argmin(1))
