"""Classical classifiers on the same parts: whether a network is needed at all.

From scikit-learn, fitted on the fit part of each seed as the networks are; no choice is made on
validation. Images longer than 64 pixels a side are averaged down before, and normalised one by one
where those of the networks are.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from gaikan.data.frames import Frames, Images
from gaikan.data.split import Parts
from gaikan.grid.pool import processes
from gaikan.seeds import stream
from gaikan.system.files import writing
from gaikan.system.store import Store, code_version, key_of, pack, unpack
from gaikan.training.nearest_anchor import Decision, decide
from gaikan.variants import Variant

MOST = 50_000  # training images; with more, k-NN and SVM take hours
_LONGEST = 64
_COMPONENTS = 50

Index = NDArray[np.int64]


def _components(n: int) -> PCA:
    return PCA(min(_COMPONENTS, n - 1), svd_solver="randomized", random_state=0)


REFERENCES: dict[str, Callable[[int, int], Any]] = {
    # From (fit images, random state). What is balanced weighs classes alike, as the batches do.
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


@dataclass(frozen=True)
class Reference:
    """A fitted reference's distances to the classes, smaller is likelier; a row of the tables."""

    name: str
    seed: int
    validation_rows: Index
    distances: dict[str, NDArray[np.float32]]  # by split, (N, K)

    @property
    def variants(self) -> list[Variant]:
        """The one that it is."""
        return [Variant.reference(self.name)]

    def decisions(self, split: str, ok: int | None) -> Iterator[tuple[Variant, Decision]]:
        """Variant and its decisions on `split`."""
        for variant in self.variants:
            yield variant, decide(self.distances[split].astype(np.float64), ok)


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
    """What a fitted model thinks of each class (N, K), smaller is likelier.

    Distances to the centroids, or 1 - probability, or else the decision values, negated.
    """
    if isinstance(model[-1], NearestCentroid):  # its decision values are scaled by class
        return np.asarray(cdist(model[:-1].transform(rows), model[-1].centroids_), np.float32)
    if hasattr(model, "predict_proba"):
        return np.asarray(1 - model.predict_proba(rows), np.float32)
    values = np.asarray(model.decision_function(rows))
    if values.ndim == 1:  # two classes: the second's value
        values = np.stack([-values, values], axis=1)
    return (-values).astype(np.float32)


def work(name: str, folder: str, parts: Parts, seed: int) -> bytes:
    """Fits one reference on one thread and judges validation and test; a store entry."""
    train, labels, test = (
        np.load(Path(folder) / f"{part}.npy", allow_pickle=False) for part in _ARRAYS
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


_ARRAYS = ("pixels", "labels", "test-pixels")


def run_references(
    train: Frames,
    test: Frames,
    parts: dict[int, Parts],
    by_image: bool,
    store: Store,
    tell: Callable[[str], None],
) -> list[Reference]:
    """Every reference of every seed, from the store or fitted now; `tell` hears how it gets on.

    With `by_image` each image is normalised by itself.
    """
    jobs = [(name, seed) for seed in parts for name in REFERENCES]
    keys = {job: _key(*job, train, test, parts[job[1]], by_image) for job in jobs}
    known = {job: store.load(key) for job, key in keys.items()}
    missing = [job for job in jobs if known[job] is None]
    if missing:
        folder = store.folder / "work"
        with writing(folder):
            folder.mkdir(exist_ok=True)
            np.save(folder / "pixels.npy", pixels(train.images, by_image))
            np.save(folder / "labels.npy", train.labels)
            np.save(folder / "test-pixels.npy", pixels(test.images, by_image))
        tell(f"0/{len(missing)} references")
        with processes(len(missing)) as pool:
            futures = {
                pool.submit(work, name, str(folder), parts[seed], seed): (name, seed)
                for name, seed in missing
            }
            for done, future in enumerate(as_completed(futures), start=1):
                job = futures[future]
                fitted = future.result()
                known[job] = fitted
                store.save(keys[job], fitted)
                tell(f"{done}/{len(missing)} references")
        for part in _ARRAYS:
            (folder / f"{part}.npy").unlink()
    found = []
    for name, seed in jobs:
        content = known[name, seed]
        assert content is not None
        found.append(Reference(name, seed, parts[seed].validation, unpack(content)[0]))
    return found


def _key(name: str, seed: int, train: Frames, test: Frames, parts: Parts, by_image: bool) -> str:
    return key_of(
        {
            "reference": name,
            "seed": seed,
            "data": [train.fingerprint, test.fingerprint],
            "split": [parts.fit.tolist(), parts.validation.tolist()],
            "by_image": by_image,
            "code": code_version("gaikan.evaluation.references", "gaikan.seeds"),
            "scikit-learn": sklearn.__version__,
        }
    )
