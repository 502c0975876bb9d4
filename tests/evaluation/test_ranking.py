"""Which variants the summary ranks first, and which it marks as rivals."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.rates import JudgedParts
from gaikan.evaluation.results import may_be_cheapest, summary
from gaikan.evaluation.score import score

COSTS = FactoryConfig(defect_rate=0.01, escape_cost=500, overkill_cost=1)
NAMES = ("cnn-vanilla-head", "mlp-vanilla-head", "mlp-triplet-mean_image")
ESCAPES, OVERKILLS = np.array([0.10, 0.02, 0.30]), np.array([0.02, 0.15, 0.30])  # by variant


def parts(rng: np.random.Generator, n_lots: int = 20) -> JudgedParts:
    """Of 1,000 parts 300 are defective; the first variant escapes more, the second overkills."""
    actual = np.where(rng.permutation(1000) < 300, "spur", "ok")
    other = np.where(actual == "ok", "spur", "ok")
    chance = np.where(actual == "ok", OVERKILLS[:, None], ESCAPES[:, None])
    wrong = rng.random((3, 2, 1000)) < chance[:, None]
    lots = (np.arange(1000) % n_lots).astype(np.str_)
    return JudgedParts(NAMES, (0, 1), np.where(wrong, other, actual), actual, None, lots)


def ranked(judged: JudgedParts, ok: str | None, factory: FactoryConfig) -> pd.DataFrame:
    rows = []
    for variant, seeds in zip(judged.variants, judged.predicted, strict=True):
        arch, style, anchor = variant.split("-")
        name = {"variant": variant, "arch": arch, "style": style, "anchor": anchor}
        for seed, predicted in zip(judged.seeds, seeds, strict=True):
            scores = asdict(score(judged.actual, predicted, ok))
            rows += [name | {"seed": seed, "split": s} | scores for s in ("validation", "test")]
    return summary(pd.DataFrame(rows), judged, [], ok, factory)[0]


def test_with_costs_the_cheapest_comes_first_and_not_the_most_accurate() -> None:
    judged = parts(np.random.default_rng(0))
    table = ranked(judged, "ok", COSTS)
    assert table["variant"].tolist() == [NAMES[1], NAMES[0], NAMES[2]]
    assert table["cost"].is_monotonic_increasing
    row = table.iloc[0]
    expected = 10 * row["escape_rate"] * 500 + 990 * row["overkill_rate"]
    assert row["cost"] == pytest.approx(expected)
    assert table["cheapest"].tolist() == [True, False, False]
    assert ranked(judged, "ok", FactoryConfig())["variant"].tolist()[0] == NAMES[0]


def test_the_marks_of_accuracy_stay_what_they_are_without_costs() -> None:
    judged = parts(np.random.default_rng(1))
    priced, plain = (ranked(judged, "ok", costs) for costs in (COSTS, FactoryConfig()))
    tied = priced.set_index("variant")["tied"]
    assert plain.set_index("variant")["tied"].to_dict() == tied.to_dict()
    assert "cost" not in plain


@pytest.mark.parametrize("only", ["ok", "spur"])
def test_without_both_kinds_of_parts_accuracy_ranks(only: str) -> None:
    judged = parts(np.random.default_rng(2))
    table = ranked(judged.at(judged.actual == only), "ok", COSTS)
    assert "cost" not in table
    assert table["accuracy"].is_monotonic_decreasing
    assert "cost" not in ranked(judged, None, COSTS)


def test_of_equal_variants_each_may_be_the_cheapest_in_95_percent() -> None:
    """Lots make some escape more than others: few parts cost much, and so the means are skewed."""
    lost = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        actual = np.where(np.arange(600) % 3 == 0, "ok", "spur")
        of_lots = np.exp(rng.normal(0, 0.5, (8, 1, 20)))[:, :, np.arange(600) % 20]
        wrong = rng.random((8, 1, 600)) < 0.02 * of_lots
        called = np.where(wrong, np.where(actual == "ok", "spur", "ok"), actual)
        names = tuple(f"mlp-vanilla-{i}" for i in range(8))
        lots = (np.arange(600) % 20).astype(np.str_)
        judged = JudgedParts(names, (0,), called, actual, None, lots)
        lost += int((~may_be_cheapest(judged, "ok", COSTS)).sum())
    assert lost / (150 * 8) <= 0.05
