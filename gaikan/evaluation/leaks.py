"""The leak audit: what the parts of an experiment share that they should not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.evaluation.copies import Copies
from gaikan.evaluation.copy_groups import copy_groups, named_alike

if TYPE_CHECKING:  # `gaikan data` has no time for scikit-learn
    from gaikan.data.split import Parts

Bools = NDArray[np.bool_]
Index = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Leaks:
    """What the audit found. A test part is leaked where training has a copy of it."""

    pairs: pd.DataFrame  # `leaks.csv`: one row a pair of copies
    copies: pd.DataFrame  # `copies.csv`: every image, with a group of its copies and lots
    exact: Bools  # (N,) test parts whose very pixels training has
    near: Bools  # (N,) test parts of which training has a near copy, not an exact one
    named: Bools  # (N,) test parts, none of the above, whose file training has with another ending
    searched: int  # test parts near copies of which were looked for: all, or a sample of many
    validation: dict[int, int]  # by seed: validation images with an exact or near copy in fit
    groups: tuple[str, ...]  # that are both in training and in test
    of_shared_group: Bools  # (N,) test parts of those
    constant: dict[str, int]  # images without contrast, by source
    contradicting: int  # identical images under different labels

    @property
    def leaked(self) -> Bools:
        """Test parts (N,) with any copy in training."""
        return self.exact | self.near | self.named


def audit(train: Frames, test: Frames, parts: "dict[int, Parts]", copies: Copies) -> Leaks:
    """The leaks between `train` and `test`, whose images `copies` compares (train first)."""
    n_train = len(train)
    in_train = np.arange(len(copies.sets)) < n_train
    exact = np.isin(copies.sets, copies.sets[:n_train])[n_train:]
    names = named_alike(train, test)
    names = names[copies.sets[names[:, 0]] != copies.sets[names[:, 1]]]
    near = _near(copies, in_train)[n_train:] & ~exact
    searched = np.isin(copies.sets, copies.searched)[n_train:] | exact
    shared, of_shared = _shared_groups(train, test)
    kind, pairs, similarity = _pairs(copies, names)
    return Leaks(
        pairs=_pair_table(train, test, kind, pairs, similarity),
        copies=copy_groups(train, test, pairs),
        exact=exact,
        near=near,
        named=_tied(names, in_train)[n_train:] & ~exact & ~near,
        searched=int(searched.sum()),
        validation={seed: _validation(copies, names, part) for seed, part in parts.items()},
        groups=shared,
        of_shared_group=of_shared,
        constant={"training": n_constant(train), "test": n_constant(test)},
        contradicting=n_contradicting(copies.sets, np.concatenate([train.names, test.names])),
    )


def _tied(pairs: Index, marked: Bools) -> Bools:
    """Those of N of which a pair (P, 2) has the other one `marked` (N,)."""
    tied = np.zeros(len(marked), bool)
    a, b = pairs.T
    tied[b[marked[a]]] = True
    tied[a[marked[b]]] = True
    return tied


def _near(copies: Copies, marked: Bools) -> Bools:
    """Images (N,) that are near copies of a marked one."""
    of_set = np.zeros(len(copies.first), bool)
    of_set[copies.sets[marked]] = True
    return _tied(copies.near, of_set)[copies.sets]


def _validation(copies: Copies, names: Index, part: "Parts") -> int:
    """How many validation images have a copy of any kind in fit."""
    fit = np.zeros(len(copies.sets), bool)
    fit[part.fit] = True
    exact = np.isin(copies.sets, copies.sets[part.fit])
    return int((exact | _near(copies, fit) | _tied(names, fit))[part.validation].sum())


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


def _pairs(copies: Copies, names: Index) -> tuple[NDArray[np.str_], Index, Floats]:
    """Kind (P,), images (P, 2) and similarity (P,; NaN of names alone) of each pair.

    Each later image with the first one identical to it; then the near pairs of such firsts; then
    files that are named alike.
    """
    later = np.setdiff1d(np.arange(len(copies.sets)), copies.first)
    exact = np.stack([copies.first[copies.sets[later]], later], 1)
    pairs = np.concatenate([exact, copies.first[copies.near], names])
    kind = np.repeat(["exact", "near", "name"], [len(exact), len(copies.near), len(names)])
    unknown = np.full(len(names), np.nan)
    return kind, pairs, np.concatenate([np.ones(len(exact)), copies.similarity, unknown])


def _pair_table(
    train: Frames, test: Frames, kind: NDArray[np.str_], pairs: Index, similarity: Floats
) -> pd.DataFrame:
    """`leaks.csv`."""
    columns: dict[str, Any] = {"kind": kind}
    rows = np.concatenate([train.rows, test.rows])
    names = np.concatenate([train.names, test.names])
    for which, index in zip(("first", "second"), pairs.T, strict=True):
        columns[f"{which}_part"] = np.where(index < len(train), "train", "test")
        columns[f"{which}_sample"] = rows[index]
        columns[f"{which}_label"] = names[index]
    columns["similarity"] = similarity
    for which, index in zip(("first", "second"), pairs.T, strict=True):
        columns[f"{which}_origin"] = [
            train.place(i) if i < len(train) else test.place(i - len(train)) for i in index.tolist()
        ]
    return pd.DataFrame(columns)
