"""The accuracy table: its rows, and its caption."""

import pandas as pd
import pytest
from manifests import manifest

from gaikan.config.model import FactoryConfig
from gaikan.language.words import Words
from gaikan.report.accuracy_table import accuracy_rows, caption
from gaikan.run_folder.manifest import SourceEntry


def summary(seeds: int = 3, tied: tuple[bool | None, ...] = (True, False)) -> pd.DataFrame:
    return pd.DataFrame({"seeds": seeds, "tied": pd.Series(tied, dtype=object)})


def said(table: pd.DataFrame, test: SourceEntry) -> Words:
    return caption(table, test, FactoryConfig())


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
    assert words in said(summary(), parts(groups, effective)).en


def test_few_effective_groups_are_said_to_be_few() -> None:
    assert "say little of others" in said(summary(), parts(20, 4.0)).en
    assert "say little of others" not in said(summary(), parts(20, 18.0)).en


def test_one_seed_says_that_the_best_is_of_these_networks() -> None:
    whole = parts(20, 20.0)
    assert "One seed: = is about these networks" in said(summary(1), whole).en
    assert "One seed" not in said(summary(2), whole).en


@pytest.mark.parametrize(
    ("tied", "warned"),
    [
        ((True, True, False), False),
        ((True, False, True), True),
        ((True, None, True), False),  # one that was not compared is not behind
        ((True, None, False, True), True),
    ],
)
def test_a_rival_below_one_that_is_behind_is_called_less_certain(
    tied: tuple[bool | None, ...], warned: bool
) -> None:
    words = said(summary(tied=tied), parts(20, 20.0))
    assert ("less certain" in words.en) is warned
    assert ("より不確か" in words.ja) is warned


COSTS = FactoryConfig(defect_rate=0.005, escape_cost=200, overkill_cost=2)


def priced() -> pd.DataFrame:
    """The cheapest variant is not the most accurate one."""
    shares = ("accuracy", "low", "high", "balanced_accuracy", "validation_accuracy")
    names = ["cnn-siamese-mean_embedding", "reference-nearest_centroid"]
    return pd.DataFrame(
        {"variant": names, "seeds": 3, "cost": [31.25, 14520.0], "tied": [False, True]}
        | {"cheapest": [True, False]}
        | {share: [0.9, 0.95] for share in shares}
    )


def test_where_costs_are_told_the_mark_is_of_the_cheapest() -> None:
    header, rows = accuracy_rows(priced())
    assert header[:4] == ["variant", "", "cost", "acc."]
    assert [row[1:4] for row in rows] == [["=", "31.2", "90.0"], ["", "14520", "95.0"]]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    assert sum(widths) + 2 * len(widths) <= 80
    words = caption(priced(), parts(20, 20.0), COSTS)
    assert "Ranked by cost: of 1,000 parts with 0.5 % defective ones" in words.en
    assert "200 an escape and 2 an overkill" in words.en
    assert "=: may be the cheapest" in words.en
    assert "may be the best" not in words.en


def test_costs_that_are_not_known_are_said_not_to_rank() -> None:
    words = caption(summary(), parts(20, 20.0), COSTS).en
    assert "Ranked by accuracy: the cost is not known without a good class" in words
    assert "=: may be the best" in words
    assert "Ranked" not in said(summary(), parts(20, 20.0)).en
