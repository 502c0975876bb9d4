"""A reference that learns from good parts only: what differs from them is asked about.

The principal components of the pixels of the good fit parts; a part is new by what they cannot
rebuild of it. Jackson and Mudholkar, "Control procedures for residuals associated with principal
component analysis", Technometrics 21, 1979. It needs no network and no defect, and where it is
enough a factory needs neither.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.reference_fit import pixels
from gaikan.evaluation.unseen import ASKED_GOOD, UnseenRow
from gaikan.evaluation.without_mode import defects, modes_to_leave_out
from gaikan.novelty.conformal import calibration, highest_level, own_p_values, p_values
from gaikan.variants import Variant

GOOD_ONLY = Variant.reference("good_only")
_COMPONENTS = 50


def good_only_rows(experiment: Experiment, by_image: bool) -> Iterator[UnseenRow]:
    """One a seed and mode: `asked` are all test parts of the mode that look new, the rest escape.

    It has no decision of its own, so that no part is called another defect. The level is that at
    which `ASKED_GOOD` of the good validation parts are asked about. With `by_image` each image is
    normalised by itself.
    """
    train, test = experiment.train, experiment.test
    _, of_test = defects(experiment)
    good, good_test = train.names == experiment.ok, test.names == experiment.ok
    rows, test_rows = pixels(train.images, by_image), pixels(test.images, by_image)
    for seed, parts in experiment.parts.items():
        held = parts.validation[good[parts.validation]]
        lots = None if train.groups is None else train.groups[held]
        residual = _Residual(rows[parts.fit[good[parts.fit]]])
        scores = residual(rows[held])
        level = highest_level(own_p_values(scores, lots), ASKED_GOOD)
        new = p_values(residual(test_rows), calibration(scores, lots)) <= level
        for mode in modes_to_leave_out(experiment):
            unseen = of_test == mode
            if not unseen.any():
                continue
            share = float(new[unseen].mean())
            yield UnseenRow(
                variant=GOOD_ONLY.name,
                arch=GOOD_ONLY.arch,
                style=GOOD_ONLY.style,
                anchor=GOOD_ONLY.anchor,
                mode=mode,
                seed=seed,
                parts=int(unseen.sum()),
                escaped=1 - share,
                asked=share,
                other_defect=0.0,
                good_asked=float(new[good_test].mean()) if good_test.any() else None,
            )


class _Residual:
    """How much of an image the components of good ones (N, F) do not rebuild."""

    def __init__(self, good: NDArray[np.float32]) -> None:
        # More than half of what there is would rebuild defects as well as good parts.
        count = min(_COMPONENTS, max(1, len(good) // 2), max(1, good.shape[1] // 2))
        self.components = PCA(count, svd_solver="randomized", random_state=0)
        # On more threads sums are rounded otherwise. Equal images have no variance to have shares.
        with threadpool_limits(1), np.errstate(invalid="ignore", divide="ignore"):
            self.components.fit(good)

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """(M,) of images (M, F): the Euclidean norm of what is left."""
        with threadpool_limits(1):
            rebuilt = self.components.inverse_transform(self.components.transform(images))
        left: NDArray[np.float32] = np.linalg.norm(images - rebuilt, axis=1).astype(np.float32)
        return left
