"""Variants over several data sets: ranks, wins, ties and losses by hand, and what is said."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.ranks import critical_difference
from gaikan.summary.page import left_out, rank_rows, verdict
from gaikan.summary.standings import DataSet, Standings, standings


def parts(variant: str) -> dict[str, str]:
    """Those of the long names here; the short ones have any."""
    arch, style, anchor = [*variant.split("-"), "style", "anchor"][:3]
    return {"arch": arch, "style": style, "anchor": anchor}


def run(
    name: str,
    accuracy: Mapping[str, Sequence[float]],
    better: Sequence[tuple[str, str]] = (),
    failed: Sequence[FailedCell] = (),
) -> DataSet:
    """A data set from the test accuracy of each variant's seeds, of 1,000 parts each."""
    rows = [
        parts(variant)
        | {"variant": variant, "seed": seed, "split": split, "n": 1000, "accuracy": value}
        for variant, values in accuracy.items()
        for seed, share in enumerate(values)
        for split, value in (("validation", 0.5), ("test", share))
    ]
    means = {variant: np.mean(values) for variant, values in accuracy.items()}
    pairs = [
        {"variant": a, "other": b, "differs": (a, b) in better}
        for a, b in itertools.permutations(accuracy, 2)
        if (means[a], a) > (means[b], b)
    ]
    comparisons = pd.DataFrame(pairs, columns=["variant", "other", "differs"])
    best = set(accuracy) - {worse for _, worse in better}
    return DataSet.of(name, pd.DataFrame(rows), comparisons.astype({"differs": bool}), best, failed)


def small() -> list[DataSet]:
    """Three variants on two data sets."""
    one = {"a": [0.9, 0.8], "b": [0.7, 0.8], "c": [0.5, 0.5]}
    two = {"c": [0.8, 0.8], "a": [0.7, 0.9], "b": [0.2, 0.2]}
    return [
        run("one", one, [("a", "c"), ("b", "c")]),
        run("two", two, [("a", "b")]),
    ]


def test_ranks_wins_ties_and_losses_by_hand() -> None:
    table = standings(small()).ranked
    assert table.index.tolist() == ["a", "c", "b"]
    assert table["rank"].tolist() == [1.25, 2.25, 2.5]  # in "two", a and c share ranks 1 and 2
    assert table["won"].tolist() == [2, 0, 1]
    assert table["tied"].tolist() == [2, 2, 2]
    assert table["lost"].tolist() == [0, 2, 1]
    assert table["accuracy"].tolist() == pytest.approx([0.825, 0.65, 0.475])


def random_runs(seed: int, variants: int = 7, n: int = 5) -> list[DataSet]:
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(variants)]
    found = []
    for i in range(n):
        shares = {name: rng.integers(400, 410, 3) / 1000 for name in names}
        means = {name: share.mean() for name, share in shares.items()}
        better = [
            (a, b)
            for a, b in itertools.permutations(names, 2)
            if means[a] > means[b] and rng.random() < 0.5
        ]
        found.append(run(f"set{i}", {name: list(share) for name, share in shares.items()}, better))
    return found


def test_every_meeting_is_won_tied_or_lost_once() -> None:
    table = standings(random_runs(0)).ranked
    assert (table[["won", "tied", "lost"]].sum(axis=1) == 5 * 6).all()
    assert table["won"].sum() == table["lost"].sum() > 0
    assert table["tied"].sum() % 2 == 0
    assert table["rank"].mean() == pytest.approx((7 + 1) / 2)
    assert table["rank"].is_monotonic_increasing


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_data_sets_and_of_variants_does_not_matter(seed: int) -> None:
    runs = random_runs(seed)
    rng = np.random.default_rng(seed)

    def turned(each: DataSet) -> DataSet:
        order: NDArray[np.int64] = rng.permutation(len(each.accuracy))
        return DataSet(
            each.name,
            each.accuracy.iloc[order],
            each.seeds.iloc[order],
            each.comparisons.sample(frac=1, random_state=seed),
            each.may_be_best,
            each.networks,
            each.failed,
        )

    before = standings(runs)
    after = standings([turned(runs[i]) for i in rng.permutation(len(runs))])
    pd.testing.assert_frame_equal(before.ranked, after.ranked)
    assert before.friedman is not None
    assert after.friedman is not None
    assert before.friedman.chi2 == pytest.approx(after.friedman.chi2)
    assert before.friedman.p == pytest.approx(after.friedman.p, abs=0.02)


def test_as_many_right_is_a_tie_however_the_seeds_share_them() -> None:
    # 0.583333 and 0.25 against twice 0.416667: their printed digits do not add up to the same.
    scores = pd.DataFrame(
        {
            "variant": ["a", "a", "b", "b"],
            "arch": ["a", "a", "b", "b"],
            "style": "style",
            "anchor": "anchor",
            "seed": [0, 1, 0, 1],
            "split": "test",
            "n": 12,
            "accuracy": [0.583333, 0.25, 0.416667, 0.416667],
        }
    )
    none = pd.DataFrame({"variant": [], "other": [], "differs": np.zeros(0, bool)})
    table = standings([DataSet.of("one", scores, none, ["a", "b"])])
    assert table.ranks["one"].tolist() == [1.5, 1.5]


def test_a_variant_that_a_data_set_lacks_is_listed_with_why_and_not_ranked() -> None:
    extra = {"mlp-siamese-mean_image": [0.99, 0.99], "d": [0.99, 0.99], "e": [0.1, 0.1]}
    base = {"a": [0.9, 0.9], "b": [0.8, 0.8], "c": [0.7, 0.7]}
    failure = FailedCell("some words", "mlp", "siamese", 1, "held-out", "the loss became inf")
    short = {**base, "e": [0.1]}
    table = standings([run("one", {**base, **extra}), run("two", short, failed=[failure])])
    assert table.ranked.index.tolist() == ["a", "b", "c"]
    assert table.ranks.T["a"].tolist() == [1, 1]  # not 3, behind those that are left out
    assert table.left_out == {
        "mlp-siamese-mean_image": "training failed on two (the loss became inf)",
        "d": "not run on two",
        "e": "1 of 2 seeds on two",
    }
    assert "d: not ranked: not run on two" in left_out(table)
    assert table.ranked["tied"].tolist() == [4, 4, 4]


def test_a_failure_of_the_original_protocol_or_of_a_namesake_explains_no_lack() -> None:
    base = {"a": [0.9, 0.9], "b": [0.8, 0.8], "c": [0.7, 0.7]}
    failures = [
        FailedCell("some words", "mlp", "siamese", 1, "original", "x"),
        FailedCell("some words", "mlp", "siamese-mean_image", 1, "held-out", "y"),
    ]
    first = run("one", {**base, "mlp-siamese-mean_image": [0.99, 0.99]})
    table = standings([first, run("two", base, failed=failures)])
    assert table.left_out == {"mlp-siamese-mean_image": "not run on two"}


def test_one_data_set_is_ranked_but_not_tested() -> None:
    table = standings(small()[:1])
    assert table.ranked["rank"].tolist() == [1, 2, 3]
    assert table.critical_difference is None
    (line,) = verdict(table)
    assert "needs at least 2 data sets (here: 1)" in line


def test_two_variants_are_ranked_but_not_tested() -> None:
    shares = {"a": [0.9], "b": [0.8]}
    table = standings([run(name, shares) for name in ("one", "two", "three")])
    assert table.friedman is None
    (line,) = verdict(table)
    assert "needs at least 3 variants that every data set has (here: 2)" in line


def test_nothing_in_common_is_said() -> None:
    table = standings([run("one", {"a": [0.9]}), run("two", {"b": [0.9]})])
    assert table.ranked.empty
    assert table.left_out == {"a": "not run on two", "b": "not run on one"}
    assert "(here: 0)" in verdict(table)[0]


def test_no_data_set_at_all_is_said() -> None:
    table = standings([])
    assert table.ranked.empty
    assert "needs at least 2 data sets (here: 0)" in verdict(table)[0]


def many(variants: int, n: int) -> Standings:
    """Variants that always keep their order."""
    shares = {f"v{i:02}": [0.9 - 0.01 * i] for i in range(variants)}
    return standings([run(f"set{i}", shares) for i in range(n)])


def test_a_test_that_cannot_show_anything_says_so() -> None:
    lines = " ".join(verdict(many(7, 2)))
    assert "which 2 data sets cannot show" in lines
    assert "even a variant that is first on all of them is at most 6 from the last" in lines
    assert critical_difference(7, 2) > 6


def test_the_pairs_that_differ_are_counted() -> None:
    # On 10 data sets v00 and v06 are 6 ranks apart and v00 and v02 two; the difference is 2.85.
    assert 2 < critical_difference(7, 10) < 3
    assert "10 of the 21 pairs" in " ".join(verdict(many(7, 10)))
    assert "none of the 3 pairs" in " ".join(verdict(standings(random_runs(0, 3, 5))))


@pytest.mark.parametrize(("n", "warned"), [(3, True), (9, True), (10, False)])
def test_few_data_sets_are_warned_of(n: int, warned: bool) -> None:
    assert ("has little power" in " ".join(verdict(many(4, n)))) == warned


def test_the_terminal_needs_80_columns_and_no_more() -> None:
    name = "reference-nearest_centroid"
    table = standings([run("one", {name: [0.9], **{f"v{i}": [0.8] for i in range(18)}})])
    header, rows = rank_rows(table)
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    assert sum(widths) + 2 * (len(widths) - 1) <= 80
    assert rows[0][0] == name
