"""Decisions as one line of text."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gaikan.check.decision_marks import LETTERS, decoded, encoded, whole


@given(st.lists(st.tuples(st.integers(0, 51), st.integers(0, 51)), max_size=60))
def test_decisions_come_back_from_their_line(pairs: list[tuple[int, int]]) -> None:
    predicted, actual = np.array(pairs, np.int64).reshape(-1, 2).T
    line = encoded(predicted, actual)
    assert (decoded(line, actual) == predicted).all()
    assert whole(line, len(pairs), LETTERS)
    assert not whole(line + "1", len(pairs), LETTERS)
    assert not whole("?" + line, len(pairs) + 1, LETTERS)


def test_a_line_of_decisions_is_readable() -> None:
    actual = np.zeros(43, np.int64)
    predicted = actual.copy()
    predicted[[37, 40]] = 1, 2
    assert encoded(predicted, actual) == "37b2c2"
