"""What other packages say, put into one sentence."""

import pytest

from gaikan.errors import first_line, kind_and_line


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("no such layer.", "no such layer"),
        ("\n\nno such layer:\n  in graph 3\n", "no such layer"),
        ("", "ValueError"),
        (" \n", "ValueError"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_first_line_of_an_error_ends_without_a_full_stop(said: str, line: str) -> None:
    assert first_line(ValueError(said)) == line


def test_the_kind_of_an_error_stands_before_its_line_once() -> None:
    assert kind_and_line(ValueError("no such layer.\nin graph 3")) == "ValueError: no such layer"
    assert kind_and_line(TimeoutError()) == "TimeoutError"
