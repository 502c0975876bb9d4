"""Fits one classical classifier; `references.py` has this done for each of them and each seed.

A module of its own, so that a stored reference depends on this code alone. Images longer than 64
pixels a side are averaged down first, and normalised one by one where the networks' images are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from gaikan.data.frames import Images
from gaikan.data.split import Parts
from gaikan.seeds import stream
from gaikan.system.store import pack

_LONGEST = 64
_COMPONENTS = 50
ARRAYS = ("pixels", "labels", "test-pixels")  # .npy files: (M, F), (M,), (N, F)


def _components(n: int) -> PCA:
    return PCA(min(_COMPONENTS, n - 1), svd_solver="randomized", random_state=0)


REFERENCES: dict[str, Callable[[int, int], Any]] = {
    # Made from (number of fit images, random state). Balanced: classes weigh alike, as in batches.
    "most_frequent": lambda n, state: make_pipeline(DummyClassifier(strategy="most_frequent")),
    "nearest_centroid": lambda n, state: make_pipeline(StandardScaler(), NearestCentroid()),
    "knn": lambda n, state: make_pipeline(
        StandardScaler(), _components(n), KNeighborsClassifier(min(5, n))
    ),
    "svm": lambda n, state: make_pipeline(
        StandardScaler(),
        _components(n),
        SVC(C=10, class_weight="balanced", break_ties=True, decision_function_shape="ovr"),
    ),
    "random_forest": lambda n, state: make_pipeline(
        RandomForestClassifier(100, class_weight="balanced", random_state=state)
    ),
    "logistic": lambda n, state: make_pipeline(
        StandardScaler(),
        _components(n),
        StandardScaler(),
        LogisticRegression(class_weight="balanced", max_iter=2000),
    ),
}


def pixels(images: Images, by_image: bool) -> NDArray[np.float32]:
    """Images (N, C, H, W) as rows (N, M), those longer than 64 averaged down by a whole factor.

    With `by_image` each row has mean 0 and deviation 1, or 0 where it is all one grey.
    """
    rows = _averaged_down(images)
    if by_image:
        rows -= rows.mean(1, keepdims=True, dtype=np.float64)
        deviation = rows.std(1, keepdims=True)
        rows /= np.where(deviation > 0, deviation, 1)
    return rows


def _averaged_down(images: Images) -> NDArray[np.float32]:
    n, channels, height, width = images.shape
    factor = -(-max(height, width) // _LONGEST)
    if factor == 1:
        return images.reshape(n, -1).astype(np.float32)
    rows, columns = max(1, height // factor), max(1, width // factor)
    down, across = min(factor, height), min(factor, width)
    blocks: NDArray[Any] = images[:, :, : rows * down, : columns * across].reshape(
        n, channels, rows, down, columns, across
    )
    return np.asarray(blocks.mean((3, 5), dtype=np.float32)).reshape(n, -1)


def class_distances(model: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far a fitted model thinks each row is from each class (N, K); smaller is likelier.

    Of nearest centroid the distances; else 1 - probability; of the SVM the negated decision values.
    """
    if isinstance(model[-1], NearestCentroid):  # its decision values are scaled by class
        return np.asarray(cdist(model[:-1].transform(rows), model[-1].centroids_), np.float32)
    if hasattr(model, "predict_proba"):
        return np.asarray(1 - model.predict_proba(rows), np.float32)
    values = np.asarray(model.decision_function(rows))
    if values.ndim == 1:  # two classes: the second's value
        values = np.stack([-values, values], axis=1)
    return (-values).astype(np.float32)


def fit_and_judge(name: str, folder: str, parts: Parts, seed: int) -> bytes:
    """Fits one reference on one thread and judges validation and test; a store entry."""
    train, labels, test = (
        np.load(Path(folder) / f"{part}.npy", allow_pickle=False) for part in ARRAYS
    )
    state = int(stream(seed, "reference", name).integers(2**31))
    model = REFERENCES[name](len(parts.fit), state)
    with threadpool_limits(1):
        model.fit(train[parts.fit], labels[parts.fit])
        distances = {
            "validation": class_distances(model, train[parts.validation]),
            "test": class_distances(model, test),
        }
    return pack(dict(distances), {})
