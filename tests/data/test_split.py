"""The division into fit and validation parts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gaikan.data.frames import Frames
from gaikan.data.split import split, split_off_test
from gaikan.errors import DataError


def frames(counts: list[int], groups: list[str] | None = None) -> Frames:
    labels = np.repeat(np.arange(len(counts)), counts)
    names = tuple(f"c{i}" for i in range(len(counts)))
    return Frames(
        source="made",
        images=np.zeros((len(labels), 1, 2, 2), np.uint8),
        labels=labels,
        classes=names,
        keys=names,
        rows=np.arange(len(labels)),
        groups=None if groups is None else np.array(groups),
    )


def test_every_class_is_divided_sixty_to_forty() -> None:
    source = frames([100, 10, 5])
    parts = split(source, 0)
    assert np.bincount(source.labels[parts.validation]).tolist() == [40, 4, 2]


def test_the_parts_are_disjoint_and_complete() -> None:
    parts = split(frames([30, 7]), 0)
    assert sorted([*parts.fit, *parts.validation]) == list(range(37))


def test_a_seed_repeats_and_another_differs() -> None:
    source = frames([50, 50])
    assert (split(source, 1).fit == split(source, 1).fit).all()
    assert (split(source, 1).fit != split(source, 2).fit).any()


@pytest.mark.parametrize("seed", range(5))
def test_groups_never_straddle_the_split(seed: int) -> None:
    groups = [f"lot-{i % 9}" for i in range(300)]
    source = frames([200, 100], groups)
    parts = split(source, seed)
    assert source.groups is not None
    assert not set(source.groups[parts.fit]) & set(source.groups[parts.validation])


def test_grouped_classes_come_near_their_share() -> None:
    source = frames([200, 100], [f"lot-{i % 10}" for i in range(300)])
    counts = np.bincount(source.labels[split(source, 0).validation])
    assert counts.tolist() == [80, 40]


def test_of_few_uneven_groups_no_two_large_ones_make_validation() -> None:
    sizes = [2106, 1792, 3101, 539, 394, 710, 831]  # 2106 and 1792 would be nearest to 40 %
    groups = np.repeat([f"lot-{i}" for i in range(7)], sizes)
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(sum(sizes)) % 2)
    source = replace(frames([*np.bincount(labels).tolist()], groups.tolist()), labels=labels)
    for seed in range(3):
        validation = split(source, seed).validation
        assert len(np.unique(groups[validation])) >= 3
        assert 0.3 < len(validation) / len(source) < 0.5


def test_a_class_of_one_image_is_named() -> None:
    with pytest.raises(DataError, match="class 'c1' has 1 image, the split needs at least 2"):
        split(frames([5, 1]), 0)


def test_a_single_group_is_refused() -> None:
    with pytest.raises(DataError, match=r"all images are of one group \('lot'\)"):
        split(frames([5, 5], ["lot"] * 10), 0)


def test_the_test_part_is_a_fifth_of_each_class() -> None:
    source = frames([50, 20])
    _, held_out = split_off_test(source, 0)
    assert np.bincount(source.labels[held_out]).tolist() == [10, 4]


def test_every_class_that_is_too_small_is_named_at_once() -> None:
    with pytest.raises(DataError, match=r"class 'c1' has 2 images, class 'c2' has 1 image, .* 3"):
        split_off_test(frames([9, 2, 1]), 0)


@pytest.mark.parametrize("part", [split, split_off_test])
def test_a_class_of_too_few_groups_is_named(part: Callable[[Frames, int], object]) -> None:
    """Of two groups one would be left after the test part, as if the source had but one."""
    n = 1 if part is split else 2
    groups = ["a", "b", "c", "d"] * 2 + ["a", "b"][:n] * 4
    source = frames([8, 4 * n], groups)
    with pytest.raises(DataError, match=f"class 'c1' has {n} group.* needs at least {n + 1}; add"):
        part(source, 0)
