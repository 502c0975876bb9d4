"""Decisions and scores, against independent references."""

import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from gaikan.evaluation.counts import ShopFloorCounts
from gaikan.evaluation.score import confusion, score
from gaikan.training.nearest_anchor import anchor_distances, decide, head_distances
from gaikan.training.recall import mean_recall

names = st.lists(st.sampled_from(["ok", "spur", "open"]), min_size=1, max_size=30)


def test_distances_equal_a_naive_loop() -> None:
    rng = np.random.default_rng(0)
    points, anchors = rng.random((5, 4), np.float32), rng.random((3, 4), np.float32)
    naive = [[np.linalg.norm(p.astype(float) - a) for a in anchors] for p in points]
    np.testing.assert_allclose(anchor_distances(points, anchors), naive, rtol=1e-6)


def test_a_decision_holds_the_nearest_class_and_by_how_much() -> None:
    decision = decide(np.array([[3.0, 1.0, 1.5], [0.2, 0.9, 0.4]]), ok=0)
    assert decision.predicted.tolist() == [1, 0]
    assert decision.ok_margin is not None
    np.testing.assert_allclose(decision.distance, [1, 0.2])
    np.testing.assert_allclose(decision.margin, [0.5, 0.2])
    np.testing.assert_allclose(decision.ok_margin, [-2, 0.2])
    assert decision.defect is not None
    assert decision.defect.tolist() == [1, 2]


def test_the_nearest_defective_class_is_never_the_good_one() -> None:
    distances = np.random.default_rng(0).random((200, 4))
    for ok in range(4):
        others = [i for i in range(4) if i != ok]
        naive = [min(others, key=lambda i: row[i]) for row in distances.tolist()]
        defect = decide(distances, ok).defect
        assert defect is not None
        assert defect.tolist() == naive


def test_a_distance_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        decide(np.array([[np.nan, 1.0]]))


def test_a_head_decides_as_its_logits_do() -> None:
    rng = np.random.default_rng(1)
    points, weight = rng.random((20, 4), np.float32), rng.random((3, 4), np.float32)
    bias = rng.random(3, np.float32)
    logits = points @ weight.T + bias
    assert (head_distances(points, weight, bias).argmin(1) == logits.argmax(1)).all()


@given(st.data())
def test_scores_equal_scikit_learn(data: st.DataObject) -> None:
    actual = np.array(["ok", "spur", *data.draw(names)])  # scikit-learn warns of a single class
    predicted = actual[np.array(data.draw(st.permutations(range(len(actual)))))]
    scores = score(actual, predicted, "ok")
    assert scores.accuracy == pytest.approx(accuracy_score(actual, predicted))
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(actual, predicted))
    assert scores.macro_f1 == pytest.approx(f1_score(actual, predicted, average="macro"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
@example([(4, 4)])
@example([(0, 1), (0, 0), (3, 5)])  # a gap in the classes, and one that is only predicted
def test_mean_recall_is_scikit_learns_balanced_accuracy(pairs: list[tuple[int, int]]) -> None:
    actual, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what is only predicted, and of one class
        expected = balanced_accuracy_score(actual, predicted)
    assert mean_recall(actual, predicted) == expected


def test_a_class_that_training_lacks_counts_as_wrong() -> None:
    scores = score(np.array(["ok", "new"]), np.array(["ok", "ok"]), "ok")
    assert scores.balanced_accuracy == 0.5
    assert scores.escape_rate == 1


def test_shop_floor_rates_have_their_own_denominators() -> None:
    actual = np.array(["ok"] * 4 + ["spur"] * 2 + ["open"])
    predicted = np.array(["ok", "ok", "ok", "spur", "ok", "open", "open"])
    assert ShopFloorCounts.of(actual, predicted, "ok") == ShopFloorCounts(1, 3, 1, 4)
    scores = score(actual, predicted, "ok")
    assert scores.escape_rate == pytest.approx(1 / 3)
    assert scores.overkill_rate == pytest.approx(1 / 4)


def test_rates_without_parts_of_their_kind_are_not_measured() -> None:
    scores = score(np.array(["ok", "ok"]), np.array(["ok", "ok"]), "ok")
    assert (scores.escape_rate, scores.overkill_rate) == (None, 0.0)
    assert (scores.escapes, scores.defects) == (0, 0)
    assert score(np.array(["ok", "a"]), np.array(["ok", "a"]), None).escapes is None


def test_confusion_rows_are_actual() -> None:
    table = confusion(np.array(["a", "a", "b"]), np.array(["b", "a", "b"]), ("a", "b"))
    assert table.loc["a", "b"] == 1
    assert table.loc["b", "a"] == 0
