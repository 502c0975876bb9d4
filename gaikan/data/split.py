"""Fit, validation and test parts: stratified by class, and groups never in two parts."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Names
from gaikan.errors import DataError
from gaikan.seeds import stream

VALIDATION_SHARE = 0.4
TEST_SHARE = 0.2  # of a source without a test source of its own
_FOLDS, _DEALS = 5, 4
_MORE_GROUPS = "add images of other groups (lots), or leave the groups out"


@dataclass(frozen=True)
class Parts:
    """Rows of a training source: `fit` is learned from, `validation` is chosen on."""

    fit: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_off_test(frames: Frames, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(rest, test) indices into `frames`, for a source that comes without a test source."""
    return _divide(frames, TEST_SHARE, seed, "test", fewest=3)


def split(frames: Frames, seed: int) -> Parts:
    """60 % fit and 40 % validation of `frames`, drawn anew for each seed.

    Of few groups the most even division wins, and may be the same one for every seed.

    Raises DataError naming the class that has too few images or groups to be in both.
    """
    return Parts(*_divide(frames, VALIDATION_SHARE, seed, "validation", fewest=2))


def _divide(
    frames: Frames, share: float, seed: int, part: str, fewest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    images = np.bincount(frames.labels, minlength=len(frames.classes))
    _refuse_few(frames, images, fewest, "image", "add images or drop {it}")
    rng = stream(seed, "split", part)
    chosen = (
        _choose_images(frames, share, rng)
        if frames.groups is None
        else _choose_groups(frames, frames.groups, share, rng, part, fewest)
    )
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _refuse_few(
    frames: Frames, counts: NDArray[np.int64], fewest: int, unit: str, remedy: str
) -> None:
    """Raises DataError naming every class of fewer than that, so that one look mends them all."""
    few = [
        f"class {name!r} has {count} {unit}{'' if count == 1 else 's'}"
        for name, count in zip(frames.classes, counts.tolist(), strict=True)
        if count < fewest
    ]
    if few:
        each, it = (" of each", "these classes") if len(few) > 1 else ("", "the class")
        raise DataError(
            f"{frames.source}: {', '.join(few)}, the split needs at least {fewest}{each}; "
            f"{remedy.format(it=it)}"
        )


def lacking(frames: Frames, rows: NDArray[np.int64]) -> str | None:
    """A class of which none of these `rows` is; None where each has one."""
    counts = np.bincount(frames.labels[rows], minlength=len(frames.classes))
    return None if counts.all() else frames.classes[int(counts.argmin())]


def _choose_images(frames: Frames, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A share of each class, at least one image of it and never all."""
    chosen = np.zeros(len(frames), bool)
    for label in range(len(frames.classes)):
        rows = np.flatnonzero(frames.labels == label)
        n = min(max(round(share * len(rows)), 1), len(rows) - 1)
        chosen[rng.permutation(rows)[:n]] = True
    return chosen


def _choose_groups(
    frames: Frames,
    groups: Names,
    share: float,
    rng: np.random.Generator,
    part: str,
    fewest: int,
) -> NDArray[np.bool_]:
    """Whole groups, of which each class has about `share`.

    scikit-learn deals the groups into folds of like class shares; the best union of folds
    over a few deals is taken, as a few uneven groups make uneven folds. Groups that are missing
    to the share of them count as a gap too: two large ones say less of others than three.
    """
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"{frames.source}: all images are of one group ({str(names[0])!r}), which is not "
            f"split; {_MORE_GROUPS}"
        )
    table = np.zeros((len(names), len(frames.classes)))
    np.add.at(table, (group, frames.labels), 1)
    n_groups = (table > 0).sum(0)
    _refuse_few(frames, n_groups, fewest, "group", _MORE_GROUPS)
    best, best_gap = np.zeros(len(names), bool), np.inf
    for union in _unions_of_folds(frames.labels, group, len(names), rng):
        class_shares = table[union].sum(0) / table.sum(0)
        lacking = ((class_shares == 0) | (class_shares == 1)).any()
        fewer = max(0, round(share * len(names)) - int(union.sum())) / len(names)
        gap = np.inf if lacking else np.abs(class_shares - share).mean() + fewer
        if gap < best_gap:
            best, best_gap = union, gap
    if not np.isfinite(best_gap):
        rare = frames.classes[int(n_groups.argmin())]
        raise DataError(
            f"{frames.source}: no way to divide {len(names)} groups so that every class is in the "
            f"{part} part and in the rest (class {rare!r} is in {n_groups.min()} of them); "
            f"{_MORE_GROUPS}"
        )
    chosen: NDArray[np.bool_] = best[group]
    return chosen


def _unions_of_folds(
    labels: NDArray[np.int64], group: NDArray[np.int64], n_groups: int, rng: np.random.Generator
) -> Iterator[NDArray[np.bool_]]:
    """Sets of groups, (n_groups,) masks: every union of folds of several deals."""
    from sklearn.model_selection import StratifiedGroupKFold  # a second that `data` seldom needs

    n_folds = min(_FOLDS, n_groups)
    for _ in range(_DEALS):
        dealer = StratifiedGroupKFold(n_folds, shuffle=True, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():  # a class of fewer images than folds is dealt all the same
            warnings.simplefilter("ignore", UserWarning)
            folds = [np.unique(group[held]) for _, held in dealer.split(labels, labels, group)]
        for n in range(1, n_folds):
            for some in combinations(folds, n):
                yield np.isin(np.arange(n_groups), np.concatenate(some))
