"""Folds of a training source."""

import numpy as np
import pytest

from gaikan.data.folds import FOLDS, deal_folds
from gaikan.data.frames import Frames, Labels
from gaikan.data.split import split


def frames(labels: Labels, groups: Labels | None) -> Frames:
    return Frames(
        source="parts",
        images=np.zeros((len(labels), 1, 8, 8), np.uint8),
        labels=labels,
        classes=("ok", "open", "spur"),
        keys=("ok", "open", "spur"),
        rows=np.arange(len(labels)),
        groups=None if groups is None else groups.astype(np.str_),
    )


ROWS = np.arange(60)
RARE = np.where(ROWS % 30 == 0, 2, ROWS % 2)  # its last class is in two of ten lots
CASES = {
    "no lots": (ROWS % 3, None),
    "lots": (ROWS % 3, ROWS // 6),
    "three lots": (ROWS % 3, ROWS // 20),
    "a class in two lots": (RARE, ROWS // 6),
    "two lots": (ROWS % 3, ROWS // 30),
}


@pytest.mark.parametrize("case", CASES)
def test_each_part_is_held_out_once_lots_stay_whole_and_no_class_is_unseen(case: str) -> None:
    labels, groups = CASES[case]
    source = frames(labels, groups)
    folds = deal_folds(source, split(source, 0), 0)
    assert 2 <= len(folds) <= FOLDS
    held = np.concatenate([fold.validation for fold in folds])
    assert sorted(held.tolist()) == list(range(60))
    for fold in folds:
        assert sorted([*fold.fit, *fold.validation]) == list(range(60))
        assert set(labels[fold.fit].tolist()) == {0, 1, 2}
        if source.groups is not None:
            assert not set(source.groups[fold.fit]) & set(source.groups[fold.validation])


def test_the_same_seed_deals_the_same_folds() -> None:
    source = frames(*CASES["lots"])
    first, second, other = (
        [fold.validation.tolist() for fold in deal_folds(source, split(source, 0), seed)]
        for seed in (0, 0, 1)
    )
    assert first == second != other
