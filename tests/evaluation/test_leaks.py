"""The leak audit: planted copies are found, and nothing much else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from gaikan.data.frames import Frames, Images
from gaikan.data.sources import read_source
from gaikan.data.split import Parts
from gaikan.data.terminals import terminals
from gaikan.evaluation.copies import Copies, find_copies, unique_images
from gaikan.evaluation.findings import leak_accuracy
from gaikan.evaluation.leaks import Leaks, audit
from gaikan.evaluation.rates import JudgedParts
from gaikan.evaluation.source_facts import facts
from gaikan.report.trust_words import leak_rows, leak_sentences
from gaikan.run_folder.describe import count_leaks

DEEPPCB = Path("../shared/data")


def frames(images: Images, labels: list[int], groups: list[str] | None = None) -> Frames:
    return Frames(
        "source",
        images,
        np.asarray(labels),
        ("ok", "spur"),
        ("0", "1"),
        np.arange(len(images)),
        groups=None if groups is None else np.asarray(groups),
    )


def look(train: Frames, test: Frames, parts: dict[int, Parts] | None = None) -> Leaks:
    copies = find_copies(train.images, test.images)
    return audit(train, test, parts or {}, copies)


def noise(n: int, seed: int = 0, channels: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 200, (n, channels, 20, 24), np.uint8)


def brightened(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.clip(images.astype(np.int64) + 5, 0, 255).astype(np.uint8)


SHIFTS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def shifted(images: NDArray[np.uint8], dy: int, dx: int) -> NDArray[np.uint8]:
    """Moved, the rim repeated."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), "edge")
    height, width = images.shape[2:]
    return padded[:, :, 1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]


def planted(train: Frames, copies: NDArray[np.uint8], labels: NDArray[np.int64]) -> Frames:
    """`train` with `copies` appended."""
    n = len(train) + len(copies)
    filler = np.repeat("planted", len(copies))
    return replace(
        train,
        images=np.concatenate([train.images, copies]),
        labels=np.concatenate([train.labels, labels]),
        rows=np.arange(n),
        modes=None if train.modes is None else np.concatenate([train.modes, filler]),
        groups=None if train.groups is None else np.concatenate([train.groups, filler]),
    )


@pytest.fixture(scope="module")
def deeppcb() -> tuple[Frames, Frames]:
    if not DEEPPCB.exists():
        pytest.skip("../shared/data is not here")
    train = read_source(str(DEEPPCB / "deeppcb_train.parquet"))
    return train, read_source(str(DEEPPCB / "deeppcb_test.parquet"))


def test_50_test_images_copied_into_deeppcbs_training_are_found_and_flatter(
    deeppcb: tuple[Frames, Frames],
) -> None:
    train, test = deeppcb
    before = look(train, test)
    assert before.leaked.sum() < 0.03 * len(test)  # plain edges look alike; see them in leaks.csv
    free = np.flatnonzero(~before.leaked)
    chosen = np.split(np.random.default_rng(0).choice(free, 150, replace=False), 3)
    images = np.asarray(test.images, np.uint8)
    copies = np.concatenate(
        [
            images[chosen[0]],
            *(shifted(images[[row]], *SHIFTS[i % 8]) for i, row in enumerate(chosen[1])),
            brightened(images[chosen[2]]),
        ]
    )
    leaked = planted(train, copies, test.labels[np.concatenate(chosen)])
    after = look(leaked, test)
    assert after.exact[chosen[0]].all()
    assert after.near[chosen[1]].mean() >= 0.8
    assert after.near[chosen[2]].mean() >= 0.8
    new = after.leaked & ~before.leaked
    assert new.sum() <= 150 + 10
    counts = count_leaks(after)
    assert counts.test_parts_with_exact_copy_in_training == before.exact.sum() + 50
    pairs = after.pairs.query("first_part == 'train' and second_part == 'test'")
    ours = pairs[pairs["first_sample"] >= len(train)]
    assert len(set(np.concatenate(chosen)) & set(ours["second_sample"])) >= 130
    worst = leak_sentences(counts, len(test))[0].en
    assert worst == f"{after.exact.sum()} test parts are pixel for pixel in training"

    # What they do to the accuracy of one that remembers: a nearest neighbour.
    flat = leaked.images.reshape(len(leaked), -1).astype(np.float32)
    some = np.union1d(np.arange(0, len(test), 6), np.flatnonzero(new))
    part = test.take(some)
    model = KNeighborsClassifier(1).fit(flat, leaked.labels)
    called = np.asarray(test.classes)[model.predict(part.images.reshape(len(part), -1))]
    judged = JudgedParts(("neighbour",), (0,), called[None, None], part.names, None, None)
    of_part = replace(
        after,
        near=new[some],
        exact=after.exact[some],
        named=after.named[some],
        of_shared_group=np.zeros(len(some), bool),
    )
    columns, ((_, everything, clean, alone),) = leak_rows(leak_accuracy(judged, of_part))
    held = new.sum()
    assert [words.en for words in columns[2:]] == [
        f"without copies ({len(some) - held})",
        f"copies alone ({held})",
    ]
    assert float(alone) > 95 > float(everything) > float(clean)


def test_terminals_has_no_leak() -> None:
    train, test = terminals("train"), terminals("test")
    found = look(train.take(np.arange(0, len(train), 3)), test)
    assert leak_sentences(count_leaks(found), len(test)) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_every_shift_of_a_pixel_and_a_brighter_copy_is_found(channels: int) -> None:
    test = noise(9, 1, channels)
    copies = [shifted(test[[i]], *SHIFTS[i]) for i in range(8)]
    train = np.concatenate([noise(30, 2, channels), *copies, brightened(test[[8]])])
    found = look(frames(train, [0, 1] * 19 + [0]), frames(test, [0, 1] * 4 + [0]))
    assert found.near.all()
    assert not found.exact.any()
    assert count_leaks(found).pairs == {"near train test": 9}


def test_the_same_image_with_another_brightness_and_contrast_is_near() -> None:
    image = noise(1).astype(np.float32)
    found = find_copies(np.concatenate([image, 3 * image + 70, noise(1, 5).astype(np.float32)]))
    assert found.near.tolist() == [[0, 1]]


def test_a_small_defect_makes_another_part() -> None:
    rng = np.random.default_rng(0)
    image = (rng.random((1, 1, 36, 39)) * 40 + 100).astype(np.uint8)
    image[:, :, 10:25] = 220
    other = image.copy()
    other[:, :, 16:20, 16:20] = 100
    assert len(find_copies(np.concatenate([image, other])).near) == 0


def test_validation_images_with_a_copy_in_fit_are_counted() -> None:
    images = noise(10)
    images[7] = images[1]
    images[8] = shifted(images[[2]], 1, 0)[0]
    train = frames(images, [0, 1] * 5)
    parts = {0: Parts(np.arange(5), np.arange(5, 10)), 1: Parts(np.arange(0, 10, 2), np.arange(9))}
    assert look(train, frames(noise(3, 9), [0, 1, 0]), parts).validation[0] == 2


def test_groups_labels_and_constant_images_are_audited() -> None:
    images = noise(6)
    images[1] = images[0]
    images[5] = 7
    train = frames(images, [0, 1, 0, 1, 0, 1], list("aabbcc"))
    found = look(train, frames(noise(2, 9), [0, 1], ["c", "d"]))
    assert found.groups == ("c",)
    assert found.contradicting == 1
    assert found.constant == {"training": 1, "test": 0}
    text = " ".join(words.en for words in leak_sentences(count_leaks(found), 2))
    assert "1 groups are both in training and in test, and with them 1 of 2 test parts: c" in text
    assert "1 images occur under more than one label" in text
    assert "1 training images are constant" in text
    assert count_leaks(found).pairs_with_different_labels == 1
    assert [fact for name, fact in facts(train) if name == "problem"] == [
        "1 images repeat an earlier one exactly (such as source:0 and source:1)",
        "1 images occur under more than one label",
        "1 images are constant",
    ]
    right = np.array(["ok", "ok"])
    judged = JudgedParts(("v",), (0,), right[None, None], np.array(["ok", "spur"]), None, None)
    columns, rows = leak_rows(leak_accuracy(judged, found))
    assert [words.en for words in columns] == [
        "variant",
        "all parts (2)",
        "new groups (1)",
        "shared groups (1)",
    ]
    assert rows == [["v", "50.0", "0.0", "100.0"]]


def test_sets_of_identical_images_equal_a_naive_search() -> None:
    images = np.random.default_rng(0).integers(0, 2, (40, 1, 2, 2), np.uint8)
    first, sets = unique_images(images)
    for i in range(40):
        same = [j for j in range(40) if (images[i] == images[j]).all()]
        assert first[sets[i]] == same[0]


def test_images_too_small_or_constant_have_exact_copies_only() -> None:
    tiny = np.random.default_rng(0).integers(0, 255, (4, 1, 5, 5), np.uint8)
    assert find_copies(tiny).near.shape == (0, 2)
    flat = np.full((3, 1, 12, 12), 9, np.uint8)
    found: Copies = find_copies(flat)
    assert found.sets.tolist() == [0, 0, 0]
    assert found.near.shape == (0, 2)
