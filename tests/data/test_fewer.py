"""Nested parts of the rows that are learned from."""

import numpy as np
import pytest

from gaikan.data.fewer import fewer
from gaikan.data.frames import Frames
from gaikan.errors import DataError

SHARES = (0.125, 0.25, 0.5)


def frames(labels: list[int], groups: list[str] | None = None) -> Frames:
    n = len(labels)
    names = tuple(f"class{i}" for i in range(max(labels) + 1))
    lots = None if groups is None else np.array(groups)
    images = np.zeros((n, 1, 2, 2), np.uint8)
    return Frames("parts", images, np.array(labels), names, names, np.arange(n), groups=lots)


def test_parts_are_nested_and_of_whole_lots_with_every_class() -> None:
    labels = [i % 3 for i in range(160)]
    source = frames(labels, [f"lot{i // 10}" for i in range(160)])
    rows = np.arange(20, 160)  # 14 lots
    assert source.groups is not None
    before: set[int] = set()
    parts = fewer(source, rows, SHARES, 0)
    assert [len(set(source.groups[part])) for part in parts] == [2, 4, 7]
    for part in parts:
        kept = set(part.tolist())
        lots = set(source.groups[part])
        assert kept == {i for i in rows.tolist() if source.groups[i] in lots}
        assert before < kept < set(rows.tolist())
        assert set(source.labels[part]) == {0, 1, 2}
        before = kept


def test_without_lots_each_class_is_thinned_alike() -> None:
    source = frames([0] * 80 + [1] * 16)
    parts = fewer(source, np.arange(96), SHARES, 0)
    counts = [np.bincount(source.labels[part]).tolist() for part in parts]
    assert counts == [[10, 2], [20, 4], [40, 8]]
    assert set(parts[0]) < set(parts[1]) < set(parts[2])


def test_the_seed_draws_the_parts() -> None:
    source = frames([0, 1] * 40)
    first, again, other = (fewer(source, np.arange(80), SHARES, seed)[0] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_too_few_lots_are_refused() -> None:
    source = frames([0, 1] * 10, [f"lot{i // 4}" for i in range(20)])
    with pytest.raises(DataError, match=r"5 lots to learn from are too few.*8 are needed"):
        fewer(source, np.arange(20), SHARES, 0)


def test_a_lot_that_alone_has_a_class_is_in_every_part() -> None:
    source = frames([0, 1, 0, 1] * 15 + [0, 2, 0, 1], [f"lot{i // 4}" for i in range(64)])
    parts = fewer(source, np.arange(64), SHARES, 0)
    assert all((source.labels[part] == 2).any() for part in parts)


def test_where_no_few_lots_have_every_class_it_is_refused() -> None:
    groups = [f"lot{i // 4}" for i in range(64)]
    source = frames([i // 4 for i in range(64)], groups)  # each class in a lot of its own
    with pytest.raises(DataError, match="have every class"):
        fewer(source, np.arange(64), SHARES, 0)


def test_too_few_images_of_a_class_are_refused() -> None:
    with pytest.raises(DataError, match="a class has 4 images to learn from"):
        fewer(frames([0] * 40 + [1] * 4), np.arange(44), SHARES, 0)
