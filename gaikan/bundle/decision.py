"""From distances to classes and verdicts, as the graph of a bundle decides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

OK, DEFECTIVE, ASK = 0, 1, 2  # what a bundle's graph calls its verdicts; -1: no class means good
VERDICTS = ("ok", "defective", "ask")


def verdicts_of(
    predicted: NDArray[np.int64],
    novelty_p: NDArray[np.float32],
    ok: int | None,
    ask_level: float | None,
) -> NDArray[np.int64]:
    """Verdicts (N,) on parts of these classes (N,) and novelty p-values (N,).

    A person is asked about a part called good whose p-value is at or below the level.
    """
    if ok is None:
        return np.full(len(predicted), -1)
    good = OK if ask_level is None else np.where(novelty_p <= np.float32(ask_level), ASK, OK)
    return np.where(predicted == ok, good, DEFECTIVE)


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
