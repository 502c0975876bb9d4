"""Rates, recalls and confusions of variants that judged the same parts; tables and gallery."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import recall_score

from gaikan.config.model import FactoryConfig
from gaikan.data.frames import Frames
from gaikan.evaluation.bounds import upper_bound
from gaikan.evaluation.mistakes import most_confident_mistakes
from gaikan.evaluation.rates import JudgedParts, rates, recalls
from gaikan.evaluation.score import confusion
from gaikan.figures.gallery import gallery
from gaikan.figures.style import pixels
from gaikan.report.markdown_table import measured
from gaikan.report.trust_words import confused, factory_rows, rate_rows, rates_caption


def judged(seeds: int = 2, groups: bool = False) -> JudgedParts:
    rng = np.random.default_rng(0)
    actual = np.repeat(["ok", "open", "spur"], [100, 60, 40])
    predicted = np.where(
        rng.random((2, seeds, 200)) < 0.8, actual, rng.choice(["ok", "open", "spur"], 200)
    )
    modes = np.where(rng.random(200) < 0.5, actual, np.char.add(actual, "-big"))
    lots = np.arange(200) % 8
    return JudgedParts(
        ("a", "b"),
        tuple(range(seeds)),
        predicted,
        actual,
        modes,
        lots.astype(np.str_) if groups else None,
        0,
    )


def test_rates_have_counts_denominators_and_the_worst_seeds_bound() -> None:
    parts = judged()
    row = rates(parts, "ok", FactoryConfig()).iloc[0]
    escapes = [int((parts.predicted[0, s, 100:] == "ok").sum()) for s in range(2)]
    assert row["escapes"] == " ".join(map(str, escapes))
    assert (row["defects"], row["goods"]) == (100, 100)
    assert row["escape_rate"] == pytest.approx(np.mean(escapes) / 100)
    assert row["escape_bound"] == pytest.approx(upper_bound(max(escapes), 100))


@pytest.mark.parametrize("lots", [None, 8])
def test_of_300_grids_the_escape_bound_holds_in_at_least_94_percent(lots: int | None) -> None:
    """For any one of three networks that differ, on parts that are independent or come in lots."""
    rng = np.random.default_rng(5)
    lot = np.arange(240) % (lots or 240)
    held = []
    for _ in range(300):
        network = -2.5 + 0.3 * rng.normal(size=3)
        spread = 0 if lots is None else 0.6
        truth = expit(network[0] + spread * rng.normal(size=20_000)).mean()
        chance = expit(network[:, None] + spread * rng.normal(size=240)[lot])
        predicted = np.where(rng.random((3, 240)) < chance, "ok", "spur")
        groups = None if lots is None else lot.astype(np.str_)
        parts = JudgedParts(
            ("v",), (0, 1, 2), predicted[None], np.full(240, "spur"), None, groups, 0
        )
        held.append(rates(parts, "ok", FactoryConfig())["escape_bound"].iloc[0] >= truth)
    assert np.mean(held) >= 0.94


def test_cost_and_target_are_told_where_the_factory_tells_its_own() -> None:
    factory = FactoryConfig(defect_rate=0.02, escape_cost=50, overkill_cost=1, escape_target=0.001)
    table = rates(judged(), "ok", factory)
    row = table.iloc[0]
    expected = 20 * row["escape_rate"] * 50 + 980 * row["overkill_rate"] * 1
    assert row["cost"] == pytest.approx(expected)
    assert row["cost_bound"] > row["cost"]
    assert row["target"].startswith("not demonstrable with 100 defects; about ")
    header, rows = factory_rows(table, factory)
    assert header == ["variant", "cost of 1,000 parts", "at the bounds", "escape rate <= 0.001"]
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
    assert "few groups bound little" in rates_caption(table, True).en


def test_rates_without_defective_parts_are_not_measured() -> None:
    parts = judged().at(np.arange(200) < 100)
    factory = FactoryConfig(defect_rate=0.02, escape_cost=50, overkill_cost=1)
    table = rates(parts, "ok", factory)
    row = table.iloc[0]
    assert row["defects"] == 0
    assert np.isnan(row["escape_rate"])
    assert np.isnan(row["escape_bound"])
    assert measured(*rate_rows(table))[0] == ["variant", "overk./100", "%", "<="]
    assert factory_rows(table, factory)[1][0][1:] == ["not measured", "not measured"]


@pytest.mark.parametrize("groups", [False, True])
def test_recall_equals_scikit_learn_and_lies_in_its_interval(groups: bool) -> None:
    parts = judged(groups=groups)
    table = recalls(parts, parts.actual, "ok")
    for row in table.to_dict("records"):
        predicted = parts.predicted[parts.variants.index(row["variant"])]
        expected = recall_score(
            np.tile(parts.actual, 2), predicted.ravel(), labels=[row["kind"]], average=None
        )[0]
        assert row["recall"] == pytest.approx(expected)
        assert row["right"] == round(expected * row["parts"] * row["seeds"])
        assert row["low"] < row["recall"] < row["high"]
        assert pd.isna(row["escapes"]) == (row["kind"] == "ok")


def test_recall_of_a_mode_counts_the_parts_of_that_mode() -> None:
    parts = judged()
    assert parts.modes is not None
    table = recalls(parts, parts.modes, None)
    counts = table[table["variant"] == "a"].set_index("kind")["parts"]
    assert counts.sum() == 200
    assert counts["open-big"] == (parts.modes == "open-big").sum()


def test_confusions_are_spelled_out_worst_first() -> None:
    actual = np.repeat(["spur", "mousebite"], [120, 50])
    predicted = actual.copy()
    predicted[:14] = "mousebite"
    predicted[120:121] = "spur"
    counts = confusion(actual, predicted, ("mousebite", "spur"))
    assert [words.en for words in confused(counts, 1)] == [
        "14 of 120 “spur” called “mousebite”",
        "1 of 50 “mousebite” called “spur”",
    ]
    assert confused(counts, 2)[0].en.endswith("(2 seeds together)")
    assert confused(confusion(actual, actual, ("mousebite", "spur")), 1) == []


def test_the_gallery_shows_the_most_confident_mistakes_once_each() -> None:
    table = pd.DataFrame(
        {
            "variant": "v",
            "split": ["test"] * 5 + ["validation"],
            "seed": [0, 0, 0, 1, 1, 0],
            "sample": [0, 1, 2, 1, 2, 3],
            "label": "ok",
            "predicted": ["spur", "spur", "ok", "spur", "spur", "spur"],
            "distance": 1.0,
            "margin": [0.1, 0.5, 9.0, 0.7, 0.2, 9.0],
        }
    )
    found = most_confident_mistakes(table, "v")
    assert found["sample"].tolist() == [1, 2, 0]
    assert found["margin"].tolist() == [0.7, 0.2, 0.1]
    images = np.zeros((3, 1, 12, 12), np.uint8)
    images[1] = 255
    labels = np.zeros(3, np.int64)
    test = Frames("s", images, labels, ("ok", "spur"), ("0", "1"), np.arange(3))
    drawn = pixels(gallery(found, test, "mistakes of v"))
    assert drawn.min() == 0
    assert (drawn != 255).any()
