"""Target distances from outside."""

import pytest

from gaikan.errors import ConfigError
from gaikan.styles.targets import target_matrix

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"a": {"z": 1.0}}, "no class 'z'"),
        ({"a": {"b": -1.0}}, "not a distance"),
        ({"a": {"a": 1.0}}, "distance 0 to itself"),
        ({"a": {"b": 1.0}, "b": {"a": 2.0}}, "the other way round"),
    ],
)
def test_a_wrong_target_names_its_place(table: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        target_matrix(table, CLASSES, 1.0)
