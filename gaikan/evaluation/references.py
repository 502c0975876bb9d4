"""Classical classifiers on the same parts, which show whether a network is needed at all.

From scikit-learn, fitted on the fit part of each seed as the networks are; no choice is made on
validation.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass

import numpy as np
import sklearn
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Names
from gaikan.data.split import Parts
from gaikan.evaluation.reference_fit import ARRAYS, REFERENCES, fit_and_judge, pixels
from gaikan.grid.pool import processes
from gaikan.system.code import code_version
from gaikan.system.files import writing
from gaikan.system.store import Store, key_of, unpack
from gaikan.training.nearest_anchor import Decision, decide
from gaikan.variants import Variant

MOST = 50_000  # training images; with more, k-NN and SVM take hours
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Reference:
    """One fitted classifier of one seed: how far it thinks each part is from each class."""

    name: str
    seed: int
    validation_rows: Index
    distances: dict[str, NDArray[np.float32]]  # by split, (N, K), smaller is likelier

    @property
    def variants(self) -> list[Variant]:
        """A list of one: a reference is a single variant."""
        return [Variant.reference(self.name)]

    def decisions(self, split: str, ok: int | None) -> Iterator[tuple[Variant, Decision]]:
        """The variant and its decisions on `split`; `ok` is the index of the good class."""
        for variant in self.variants:
            yield variant, decide(self.distances[split].astype(np.float64), ok)

    def novelty_p(self, split: str, groups: Names | None) -> NDArray[np.float32]:
        """NaN (N,), an empty cell of a table: a reference does not tell what is new to it."""
        return np.full(len(self.distances[split]), np.nan, np.float32)


def run_references(
    train: Frames,
    test: Frames,
    parts: dict[int, Parts],
    by_image: bool,
    store: Store,
    tell: Callable[[str], None],
) -> list[Reference]:
    """Every reference of every seed, from the store or fitted now; `tell` is given its progress.

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
                pool.submit(fit_and_judge, name, str(folder), parts[seed], seed): (name, seed)
                for name, seed in missing
            }
            for done, future in enumerate(as_completed(futures), start=1):
                job = futures[future]
                fitted = future.result()
                known[job] = fitted
                store.save(keys[job], fitted)
                tell(f"{done}/{len(missing)} references")
        for part in ARRAYS:
            (folder / f"{part}.npy").unlink()
    references = []
    for name, seed in jobs:
        content = known[name, seed]
        assert content is not None
        references.append(Reference(name, seed, parts[seed].validation, unpack(content)[0]))
    return references


def _key(name: str, seed: int, train: Frames, test: Frames, parts: Parts, by_image: bool) -> str:
    return key_of(
        {
            "reference": name,
            "seed": seed,
            "data": [train.fingerprint, test.fingerprint],
            "split": [parts.fit.tolist(), parts.validation.tolist()],
            "by_image": by_image,
            "code": code_version("gaikan.evaluation.reference_fit"),
            "scikit-learn": sklearn.__version__,
        }
    )
