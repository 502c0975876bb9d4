"""The leak audit: what the parts of an experiment share that they should not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.evaluation.copies import Copies

if TYPE_CHECKING:  # `gaikan data` has no time for scikit-learn
    from gaikan.data.split import Parts

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Leaks:
    """What the audit found. A test part is leaked where training has a copy of it."""

    pairs: pd.DataFrame  # `leaks.csv`: one row a pair of copies
    exact: Bools  # (N,) test parts whose very pixels training has
    near: Bools  # (N,) test parts of which training has a near copy, not an exact one
    searched: int  # test parts near copies of which were looked for: all, or a sample of many
    validation: dict[int, int]  # by seed: validation images with an exact or near copy in fit
    groups: tuple[str, ...]  # that are both in training and in test
    of_shared_group: Bools  # (N,) test parts of those
    constant: dict[str, int]  # images without contrast, by source
    contradicting: int  # identical images under different labels

    @property
    def leaked(self) -> Bools:
        """Test parts (N,) with any copy in training."""
        return self.exact | self.near


def audit(train: Frames, test: Frames, parts: "dict[int, Parts]", copies: Copies) -> Leaks:
    """The leaks between `train` and `test`, whose images `copies` compares (train first)."""
    n_train = len(train)
    n_sets = len(copies.first)
    in_train = np.zeros(n_sets, bool)
    in_train[copies.sets[:n_train]] = True
    of_test = copies.sets[n_train:]
    near = _touched(copies, in_train)
    searched = np.zeros(n_sets, bool)
    searched[copies.searched] = True
    shared, of_shared = _shared_groups(train, test)
    return Leaks(
        pairs=_pairs(train, test, copies),
        exact=in_train[of_test],
        near=near[of_test] & ~in_train[of_test],
        searched=int((searched | in_train)[of_test].sum()),
        validation={seed: _validation(copies, part) for seed, part in parts.items()},
        groups=shared,
        of_shared_group=of_shared,
        constant={"training": n_constant(train), "test": n_constant(test)},
        contradicting=n_contradicting(copies.sets, np.concatenate([train.names, test.names])),
    )


def _touched(copies: Copies, marked: Bools) -> Bools:
    """Sets that are near to a marked one."""
    touched = np.zeros(len(marked), bool)
    a, b = copies.near.T
    touched[b[marked[a]]] = True
    touched[a[marked[b]]] = True
    return touched


def _validation(copies: Copies, part: "Parts") -> int:
    fit = np.zeros(len(copies.first), bool)
    fit[copies.sets[part.fit]] = True
    return int((fit | _touched(copies, fit))[copies.sets[part.validation]].sum())


def _shared_groups(train: Frames, test: Frames) -> tuple[tuple[str, ...], Bools]:
    """The groups that are in both, and which test parts (N,) are of those."""
    if train.groups is None or test.groups is None:
        return (), np.zeros(len(test), bool)
    shared = sorted(set(train.groups.tolist()) & set(test.groups.tolist()))
    return tuple(shared), np.isin(test.groups, shared)


def n_constant(frames: Frames) -> int:
    """Images without contrast."""
    flat = frames.images.reshape(len(frames), -1)
    return int((flat.min(1) == flat.max(1)).sum())


def n_contradicting(sets: NDArray[np.int64], names: NDArray[np.str_]) -> int:
    """Distinct images, numbered by `sets` (N,), that occur under more than one of `names` (N,)."""
    classes = np.unique(names, return_inverse=True)[1]
    labelled = np.unique(np.stack([sets, classes]), axis=1)
    return int((np.bincount(labelled[0]) > 1).sum())


def _pairs(train: Frames, test: Frames, copies: Copies) -> pd.DataFrame:
    """Each later image with the first one identical to it; then the near pairs of such firsts."""
    later = np.setdiff1d(np.arange(len(copies.sets)), copies.first)
    first = np.concatenate([copies.first[copies.sets[later]], copies.first[copies.near[:, 0]]])
    second = np.concatenate([later, copies.first[copies.near[:, 1]]])
    n_exact, n_near = len(later), len(copies.near)
    columns: dict[str, Any] = {"kind": np.repeat(["exact", "near"], [n_exact, n_near])}
    rows = np.concatenate([train.rows, test.rows])
    names = np.concatenate([train.names, test.names])
    for which, index in (("first", first), ("second", second)):
        columns[f"{which}_part"] = np.where(index < len(train), "train", "test")
        columns[f"{which}_sample"] = rows[index]
        columns[f"{which}_label"] = names[index]
    columns["similarity"] = np.concatenate([np.ones(n_exact), copies.similarity])
    for which, index in (("first", first), ("second", second)):
        columns[f"{which}_origin"] = [
            train.place(i) if i < len(train) else test.place(i - len(train)) for i in index.tolist()
        ]
    return pd.DataFrame(columns)
