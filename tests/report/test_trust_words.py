"""What a report says of rates, confusions and references."""

import re

import numpy as np
import pandas as pd
import pytest
from judged_parts import judged

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import upper_bound_over_groups
from gaikan.evaluation.rates import rates
from gaikan.language.words import say, unpacked
from gaikan.report.markdown_table import measured, percent
from gaikan.report.trust_words import (
    factory_rows,
    lowest_bound,
    rate_rows,
    rates_caption,
    reference_sentence,
    smallest_shown,
)


def test_cost_and_target_are_told_where_the_factory_tells_its_own() -> None:
    factory = FactoryConfig(defect_rate=0.02, escape_cost=50, overkill_cost=1, escape_target=0.001)
    table = rates(judged(), "ok", factory)
    row = table.iloc[0]
    expected = 20 * row["escape_rate"] * 50 + 980 * row["overkill_rate"] * 1
    assert row["cost"] == pytest.approx(expected)
    assert row["cost_bound"] > row["cost"]
    target = unpacked(row["target"]).en
    assert target.startswith("not demonstrable with 100 defects; about ")
    columns, rows = factory_rows(table, factory)
    assert columns[:3] == ["variant", "cost", "cost_bound"]
    assert getattr(columns[3], "en", None) == "escape rate ≤ 0.001"
    assert len(rows) == 2
    assert factory_rows(table, FactoryConfig())[1] == []


def test_the_shop_floor_table_fits_80_columns_with_many_seeds() -> None:
    table = rates(judged(9), "ok", FactoryConfig())
    table["variant"] = "cnn-siamese-mean_embedding"
    header, rows = rate_rows(table)
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    assert sum(widths) + 2 * len(widths) <= 80
    assert "9 seeds" not in rates_caption(table, False).en
    assert "exact (Clopper-Pearson)" in rates_caption(table, False).en
    assert "few bound little)" in rates_caption(table, True).en
    table = rates(judged(9, groups=True), "ok", FactoryConfig())
    assert "few bound little: these 8 count as 8 equal ones)" in rates_caption(table, True).en


def test_rates_without_defective_parts_are_not_measured() -> None:
    parts = judged().at(np.arange(200) < 100)
    factory = FactoryConfig(defect_rate=0.02, escape_cost=50, overkill_cost=1)
    table = rates(parts, "ok", factory)
    row = table.iloc[0]
    assert row["defects"] == 0
    assert np.isnan(row["escape_rate"])
    assert np.isnan(row["escape_bound"])
    assert measured(*rate_rows(table))[0] == ["variant", "overk./100", "%", "<="]
    assert factory_rows(table, factory)[1][0][1:] == [say("value_unknown")] * 2


@pytest.mark.parametrize("rest", [True, None])
@pytest.mark.parametrize(
    ("tied", "words"), [(True, " may be the best: that"), (False, ", is behind")]
)
def test_a_reference_that_ties_is_not_called_behind(
    tied: bool, rest: bool | None, words: str
) -> None:
    """Whether or not a variant was left out of the comparison, which changes the column's type."""
    summary = pd.DataFrame(
        {
            "variant": ["cnn-a-mean_image", "reference-svm", "mlp-a-mean_image"],
            "kind": ["anchor", "reference", "anchor"],
            "accuracy": [0.9, 0.89, 0.5],
            "tied": [True, tied, rest],
        }
    )
    sentence = reference_sentence(summary)
    assert sentence is not None
    assert f"reference-svm (89.0 %){words} cnn-a-mean_image" in sentence.en


def test_references_are_compared_by_what_ranks() -> None:
    """The order by cost may be another; a rival goes before one that is only ahead of it."""
    table = pd.DataFrame(
        {
            "variant": ["cnn-a-mean_image", "reference-svm", "reference-knn"],
            "kind": ["anchor", "reference", "reference"],
            "accuracy": [0.8, 0.9, 0.9],
            "cost": [12.0, 13.0, 14.0],
            "tied": [False, True, True],
            "cheapest": [True, False, True],
        }
    )

    def said(rows: pd.DataFrame) -> str:
        sentence = reference_sentence(rows)
        assert sentence is not None
        return sentence.en

    assert "reference-knn (cost 14.0) may be the best: that cnn-a-mean_image" in said(table)
    assert "reference-svm (cost 13.0), is behind" in said(table.iloc[:2])
    assert "reference-svm (90.0 %), is no worse" in said(table.drop(columns=["cost", "cheapest"]))


def test_the_lowest_bound_is_said_with_what_it_is_worth_once_picked() -> None:
    table = rates(judged(), "ok", FactoryConfig())
    lowest = table.sort_values("escape_bound").iloc[0]
    sentence = lowest_bound(table)
    assert sentence is not None
    assert f"Whoever picks {lowest['variant']} as the lowest of these 2" in sentence.en
    worth = percent(lowest["escape_bound_picked"])
    assert f"at most {worth} %, not {percent(lowest['escape_bound'])} %" in sentence.en
    assert worth in sentence.ja
    assert lowest_bound(table.iloc[:1]) is None


def test_what_no_escape_shows_is_counted_in_lots_where_there_are_any() -> None:
    parts, lots = (
        smallest_shown(rates(judged(groups=groups), "ok", FactoryConfig()))
        for groups in (False, True)
    )
    assert "at most 3.0 %; 1 % takes about 300 without" in parts.en
    assert "100 defective parts (lots: 8) would show" in lots.en
    assert "such lots without an escape" in lots.en
    least = re.search(r"at most ([\d.]+) %", lots.en)
    assert least is not None
    assert least[1] == percent(upper_bound_over_groups(np.zeros(100, bool), np.arange(100) % 8))
