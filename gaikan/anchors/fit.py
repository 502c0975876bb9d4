"""What an anchor method is given: the fit images, never others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Images, Labels

_ROWS = 2**15  # summed at a time, so that the images need not all be in memory


@dataclass(frozen=True)
class FitPart:
    """The fit images of a trained network, with their embeddings and the network itself."""

    images: Images  # (N, C, H, W)
    labels: Labels  # (N,) in 0..n_classes-1, every class at least once
    embeddings: NDArray[np.float32]  # (N, D)
    n_classes: int
    embed: Callable[[Images], NDArray[np.float32]]

    def class_means(self, rows: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean of `rows` (N, M) over each class, (K, M), summed in float64.

        Raises ValueError where a class has no row: its mean would be NaN, and NaN is nearest
        to nothing.
        """
        counts = np.bincount(self.labels, minlength=self.n_classes)
        if not counts.all():
            raise ValueError(f"classes without fit images: {np.flatnonzero(counts == 0).tolist()}")
        sums = np.zeros((self.n_classes, rows.shape[1]))
        for start in range(0, len(rows), _ROWS):
            labels = self.labels[start : start + _ROWS]
            order = np.argsort(labels, kind="stable")
            classes, starts = np.unique(labels[order], return_index=True)
            by_class = rows[start : start + _ROWS][order]
            sums[classes] += np.add.reduceat(by_class, starts, axis=0, dtype=np.float64)
        return (sums / counts[:, None]).astype(np.float32)
