"""The caption of the accuracy table."""

import pandas as pd
import pytest
from manifests import manifest

from gaikan.report.accuracy_table import caption
from gaikan.run_folder.manifest import SourceEntry


def summary(seeds: int = 3, tied: tuple[bool | None, ...] = (True, False)) -> pd.DataFrame:
    return pd.DataFrame({"seeds": seeds, "tied": pd.Series(tied, dtype=object)})


def parts(groups: int | None, effective: float | None) -> SourceEntry:
    changes = {"groups": groups, "effective_groups": effective, "images": 200}
    return manifest().data.test.model_copy(update=changes)


@pytest.mark.parametrize(
    ("groups", "effective", "words"),
    [
        (None, None, "over 3 seeds and 200 test parts."),
        (20, 19.0, "over 3 seeds and 20 test groups."),
        (11, 5.2, "11 unequal test groups (they say as much as 5.2 equal ones)."),
        (1, 1.0, "One test group"),
    ],
)
def test_the_interval_says_over_what_it_is(
    groups: int | None, effective: float | None, words: str
) -> None:
    assert words in caption(summary(), parts(groups, effective)).en


def test_few_effective_groups_are_said_to_be_few() -> None:
    assert "say little of others" in caption(summary(), parts(20, 4.0)).en
    assert "say little of others" not in caption(summary(), parts(20, 18.0)).en


def test_one_seed_says_that_the_best_is_of_these_networks() -> None:
    whole = parts(20, 20.0)
    assert "One seed: = is about these networks" in caption(summary(1), whole).en
    assert "One seed" not in caption(summary(2), whole).en


@pytest.mark.parametrize(
    ("tied", "said"),
    [
        ((True, True, False), False),
        ((True, False, True), True),
        ((True, None, True), False),  # one that was not compared is not behind
        ((True, None, False, True), True),
    ],
)
def test_a_rival_below_one_that_is_behind_is_called_less_certain(
    tied: tuple[bool | None, ...], said: bool
) -> None:
    words = caption(summary(tied=tied), parts(20, 20.0))
    assert ("less certain" in words.en) is said
    assert ("より不確か" in words.ja) is said
