"""Scores of decisions, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from gaikan.evaluation.counts import ShopFloorCounts
from gaikan.evaluation.score import confusion, score

names = st.lists(st.sampled_from(["ok", "spur", "open"]), min_size=1, max_size=30)


@given(st.data())
def test_scores_equal_scikit_learn(data: st.DataObject) -> None:
    actual = np.array(["ok", "spur", *data.draw(names)])  # scikit-learn warns of a single class
    predicted = actual[np.array(data.draw(st.permutations(range(len(actual)))))]
    scores = score(actual, predicted, "ok")
    assert scores.accuracy == pytest.approx(accuracy_score(actual, predicted))
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(actual, predicted))
    assert scores.macro_f1 == pytest.approx(f1_score(actual, predicted, average="macro"))


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
