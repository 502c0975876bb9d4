"""The score that chooses an epoch."""

import warnings

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from gaikan.training.recall import mean_recall


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
@example([(4, 4)])
@example([(0, 1), (0, 0), (3, 5)])  # a gap in the classes, and one that is only predicted
def test_mean_recall_is_scikit_learns_balanced_accuracy(pairs: list[tuple[int, int]]) -> None:
    actual, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what is only predicted, and of one class
        expected = balanced_accuracy_score(actual, predicted)
    assert mean_recall(actual, predicted) == expected
