"""What the first line of a pick says."""

import pytest

from gaikan.report.picks_page import of_parts


@pytest.mark.parametrize(
    ("right", "n", "said"),
    [
        *((977, 1000, "97 of 100"), (998, 1000, "998 of 1000"), (36, 36, "36 of 36")),
        *((321, 323, "321 of 323"), (29, 30, "29 of 30"), (0, 12, "0 of 12")),
    ],
)
def test_parts_that_are_right_are_never_more_than_there_are(right: int, n: int, said: str) -> None:
    assert of_parts(right / n, n) == said
