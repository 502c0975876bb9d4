"""Labels that are flipped on purpose are doubted, right ones are not."""

import numpy as np
import pytest

pytest.importorskip("cleanlab", reason="gaikan[labels] is not installed")

from gaikan.evaluation.doubts import alike, doubt_labels, doubted
from gaikan.evaluation.out_of_fold import OutOfFold

CLASSES, FOLDS, PARTS, TESTS = 3, 4, 400, 150


def judged(truth: np.ndarray, tests: np.ndarray, rng: np.random.Generator) -> OutOfFold:
    """Networks that mostly see the truth, each on a scale of its own."""
    fold = np.arange(len(truth)) % FOLDS + 1
    scale = rng.uniform(0.5, 20, FOLDS)
    scores = 5 * np.eye(CLASSES)[truth] + rng.normal(size=(len(truth), CLASSES))
    of_tests = 5 * np.eye(CLASSES)[tests] + rng.normal(size=(FOLDS, len(tests), CLASSES))
    return OutOfFold(fold, scores * scale[fold - 1, None], of_tests * scale[:, None, None])


def flipped(
    labels: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, set[int]]:
    rows = rng.permutation(len(labels))[:count]
    changed = labels.copy()
    changed[rows] = (changed[rows] + rng.integers(1, CLASSES, count)) % CLASSES
    return changed, set(rows.tolist())


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_most_flipped_labels_come_first_with_the_true_class(rng: np.random.Generator) -> None:
    truth, tests = rng.integers(0, CLASSES, PARTS), rng.integers(0, CLASSES, TESTS)
    scores = judged(truth, tests, rng)
    labels, rows = flipped(truth, 20, rng)
    test_labels, test_rows = flipped(tests, 10, rng)
    found = doubt_labels([scores], labels, test_labels)
    for doubts, wrong, right in ((found.train, rows, truth), (found.test, test_rows, tests)):
        first = doubts.index[: 2 * len(wrong)]
        assert len(wrong & set(first.tolist())) >= 0.8 * len(wrong)
        assert len(wrong & set(doubts.index[: doubts.doubted].tolist())) >= 0.6 * len(wrong)
        proposals = doubts.proposed[np.isin(doubts.index, list(wrong))]
        actual = right[doubts.index[np.isin(doubts.index, list(wrong))]]
        assert (proposals == actual).mean() > 0.9
        assert ((doubts.sure > 1 / CLASSES) & (doubts.sure <= 1)).all()


def test_few_right_labels_are_doubted(rng: np.random.Generator) -> None:
    truth, tests = rng.integers(0, CLASSES, PARTS), rng.integers(0, CLASSES, TESTS)
    found = doubt_labels([judged(truth, tests, rng)], truth, tests)
    assert found.train.doubted <= 0.01 * PARTS
    assert found.test.doubted <= 0.01 * TESTS + 1


def test_as_many_again_follow_the_doubted_ones_and_none_has_its_own_label_proposed(
    rng: np.random.Generator,
) -> None:
    labels = rng.integers(0, CLASSES, PARTS)
    odds = np.exp(3 * np.eye(CLASSES)[labels] + 1.5 * rng.normal(size=(PARTS, CLASSES)))
    probabilities = odds / odds.sum(1, keepdims=True)
    found = doubted(probabilities, labels, np.arange(PARTS))
    assert 0 < found.doubted < len(found.index) <= 2 * found.doubted
    assert len(np.unique(found.index)) == len(found.index)
    assert (found.proposed != labels[found.index]).all()
    own = probabilities[found.index, labels[found.index]]
    for some in (own[: found.doubted], own[found.doubted :]):
        assert (np.diff(some) >= 0).all()


def test_what_one_network_gets_wrong_is_doubted_less_where_another_gets_it_right(
    rng: np.random.Generator,
) -> None:
    truth, tests = rng.integers(0, CLASSES, PARTS), rng.integers(0, CLASSES, TESTS)
    first, second = judged(truth, tests, rng), judged(truth, tests, rng)
    mistaken = first.train.copy()
    mistaken[:8] = np.roll(mistaken[:8], 1, axis=1)
    first = OutOfFold(first.fold, mistaken, first.test)
    alone, both = (doubt_labels(deals, truth, tests).train for deals in ([first], [first, second]))
    assert both.doubted < alone.doubted
    assert alone.doubted >= 6


def test_a_test_class_that_training_lacks_is_not_doubted(rng: np.random.Generator) -> None:
    truth, tests = rng.integers(0, CLASSES, PARTS), rng.integers(0, CLASSES, TESTS)
    scores = judged(truth, tests, rng)
    tests[:10] = CLASSES
    assert not set(doubt_labels([scores], truth, tests).test.index.tolist()) & set(range(10))


def test_the_scale_of_a_network_does_not_matter(rng: np.random.Generator) -> None:
    truth, tests = rng.integers(0, CLASSES, PARTS), rng.integers(0, CLASSES, TESTS)
    first = judged(truth, tests, rng)
    factor, shift = np.array([1, 7, 0.1, 3]), np.array([0, -3, 40, 1])
    fold = first.fold - 1
    other = OutOfFold(
        first.fold,
        first.train * factor[fold, None] + shift[fold, None],
        first.test * factor[:, None, None] + shift[:, None, None],
    )
    for a, b in zip(alike(first), alike(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)
