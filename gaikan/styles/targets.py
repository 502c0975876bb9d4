"""Target distances between classes, given from outside."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import ConfigError

Targets = Mapping[str, Mapping[str, float]]


def target_matrix(
    targets: Targets, classes: tuple[str, ...], default: float
) -> NDArray[np.float32]:
    """The table as a symmetric matrix (K, K) in the order of `classes`.

    A pair that the table leaves out has the distance `default`; a class has 0 to itself. A
    pair may be given once or twice; twice must agree. Raises ConfigError naming row and column.
    """
    index = {name: i for i, name in enumerate(classes)}
    matrix = np.full((len(classes), len(classes)), default, np.float32)
    np.fill_diagonal(matrix, 0)
    given: dict[tuple[int, int], float] = {}
    for row, columns in targets.items():
        for column, distance in columns.items():
            where = f"style.siamese.targets: row {row!r}, column {column!r}"
            for name in (row, column):
                if name not in index:
                    raise ConfigError(f"{where}: no class {name!r}; there are {', '.join(classes)}")
            if not math.isfinite(distance) or distance < 0:
                raise ConfigError(f"{where}: {distance} is not a distance (0 or more)")
            i, j = index[row], index[column]
            if i == j and distance != 0:
                raise ConfigError(f"{where}: a class has distance 0 to itself, not {distance}")
            if given.get((j, i), distance) != distance:
                raise ConfigError(f"{where}: {distance}, but {given[j, i]} the other way round")
            given[i, j] = distance
            matrix[i, j] = matrix[j, i] = distance
    return matrix
