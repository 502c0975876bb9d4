"""The words of a report, in two languages."""

from string import Formatter
from typing import get_args

from gaikan.config import stages
from gaikan.report.strings import say, strings


def test_every_string_has_both_languages_and_the_same_fields() -> None:
    for key, texts in strings().items():
        assert len(texts) == 2, key
        assert all(texts), key
        english, japanese = (_fields(text) for text in texts)
        assert english == japanese, key


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_constraint_and_objective_of_a_stage_has_a_name() -> None:
    names = {*stages.TIMING, *stages.QUALITY, *stages.NAMES, "recall", "cost"}
    assert {key.removeprefix("k_") for key in strings() if key.startswith("k_")} == names
    objectives = {key.removeprefix("o_") for key in strings() if key.startswith("o_")}
    assert objectives == set(get_args(stages.Objective))


def test_words_are_filled_in_by_language() -> None:
    said = say("and_more", names=say("unknown"), n=3)
    assert (said.en, said.ja) == ("unknown and 3 more", "不明 ほか 3")
