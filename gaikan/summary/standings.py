"""Variants compared over several runs: ranks, wins, ties and losses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.ranks import (
    FEWEST_DATA_SETS,
    FEWEST_VARIANTS,
    Friedman,
    critical_difference,
    friedman,
    ranks,
)
from gaikan.run_folder.manifest import read_manifest
from gaikan.run_folder.result_tables import read_table
from gaikan.variants import network_name


@dataclass(frozen=True)
class DataSet:
    """The test figures of the run on one data set."""

    name: str
    accuracy: pd.Series  # by variant: mean over seeds
    seeds: pd.Series  # by variant: how many
    comparisons: pd.DataFrame  # variant, other, differs; the more accurate first
    may_be_best: frozenset[str]  # variants
    networks: dict[str, str]  # by variant
    failed: dict[str, str]  # network and the reason of its last failed training

    @classmethod
    def read(cls, name: str, out: Path) -> "DataSet":
        """From a run folder."""
        scores, comparisons = read_table(out, "accuracy"), read_table(out, "comparisons")
        summary = read_table(out, "summary")
        best = summary.loc[summary["tied"].eq(True), "variant"]
        return cls.of(name, scores, comparisons, best, read_manifest(out).failed)

    @classmethod
    def of(
        cls,
        name: str,
        scores: pd.DataFrame,
        comparisons: pd.DataFrame,
        may_be_best: Iterable[str],
        failed: Iterable[FailedCell] = (),
    ) -> "DataSet":
        """From `accuracy.csv`, `comparisons.csv`, `summary.csv` and the manifest's `failed`."""
        test = scores[scores["split"] == "test"]
        # From counts: means of rounded figures may differ where the same parts are right.
        right = (test["accuracy"] * test["n"]).round()
        by_variant = test.assign(right=right).groupby("variant", sort=False)
        accuracy = by_variant["right"].sum() / by_variant["n"].sum()
        reasons = {
            network_name(cell.arch, cell.style): cell.reason
            for cell in failed
            if cell.protocol == "held-out"
        }
        rows = scores[["variant", "arch", "style"]].itertuples(index=False)
        networks = {variant: network_name(arch, style) for variant, arch, style in rows}
        wanted = comparisons[["variant", "other", "differs"]]
        seeds, best = by_variant["seed"].nunique(), frozenset(may_be_best)
        return cls(name, accuracy, seeds, wanted, best, networks, reasons)

    def lacks(self, variant: str, network: str) -> str | None:
        """Why a variant of that network cannot be ranked here; None where it can."""
        have, all_seeds = int(self.seeds.get(variant, 0)), int(self.seeds.max())
        if have == all_seeds:
            return None
        reason = self.failed.get(network)
        why = "" if reason is None else f" ({reason})"
        if have:
            return f"{have} of {all_seeds} seeds on {self.name}{why}"
        state = "not run" if reason is None else "training failed"
        return f"{state} on {self.name}{why}"

    def beaten(self, variants: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs (better, worse) of these variants that the run's own comparison tells apart.

        By Holm's correction over all pairs: the comparison with the best, which "=" is of, says
        nothing of two variants that are both behind it.
        """
        pairs = self.comparisons[self.comparisons["differs"].eq(True)]
        known = pairs["variant"].isin(variants) & pairs["other"].isin(variants)
        return list(zip(pairs.loc[known, "variant"], pairs.loc[known, "other"], strict=True))


@dataclass(frozen=True)
class Standings:
    """Variants side by side over all data sets."""

    data_sets: tuple[DataSet, ...]
    ranked: pd.DataFrame  # by variant, lowest mean rank first: rank, won, tied, lost, accuracy
    accuracy: pd.DataFrame  # variant x data set, of all variants; NaN where it was not run
    ranks: pd.DataFrame  # variant x data set, of the ranked ones
    left_out: dict[str, str]  # variant and why it is not ranked

    @property
    def missing(self) -> str | None:
        """Why nothing can be tested; None where it can."""
        n_variants, n = self.ranks.shape
        if n < FEWEST_DATA_SETS:
            return f"needs at least {FEWEST_DATA_SETS} data sets (here: {n})"
        if n_variants < FEWEST_VARIANTS:
            least = f"at least {FEWEST_VARIANTS} variants that every data set has"
            return f"needs {least} (here: {n_variants})"
        return None

    @cached_property
    def friedman(self) -> Friedman | None:
        """Friedman's test of the ranks; None where nothing can be tested."""
        return None if self.missing else friedman(self.ranks.to_numpy(float))

    @cached_property
    def critical_difference(self) -> float | None:
        """Nemenyi's critical difference of mean ranks at 5 %; None where nothing can be tested."""
        return None if self.missing else critical_difference(*self.ranks.shape)


def standings(data_sets: Sequence[DataSet]) -> Standings:
    """Ranks the variants that every data set has, heads and classical references included."""
    accuracy = pd.DataFrame({data.name: data.accuracy for data in data_sets}, dtype=float)
    accuracy = accuracy.rename_axis("variant")
    networks = {name: network for data in data_sets for name, network in data.networks.items()}
    why = {
        name: [lack for data in data_sets if (lack := data.lacks(name, networks[name]))]
        for name in map(str, accuracy.index)
    }
    variants = [variant for variant, lacks in why.items() if not lacks]
    figures = accuracy.loc[variants]
    ranked = pd.DataFrame(
        ranks(figures.to_numpy(float)), figures.index, figures.columns, dtype=float
    )
    beaten = [pair for data in data_sets for pair in data.beaten(variants)]
    won = pd.Series([better for better, _ in beaten], dtype=str).value_counts()
    lost = pd.Series([worse for _, worse in beaten], dtype=str).value_counts()
    table = pd.DataFrame({"rank": ranked.mean(axis=1)})
    table["won"] = won.reindex(variants, fill_value=0)
    table["lost"] = lost.reindex(variants, fill_value=0)
    table["tied"] = len(data_sets) * (len(variants) - 1) - table["won"] - table["lost"]
    table["accuracy"] = figures.mean(axis=1)
    table = table.sort_values(["rank", "accuracy", "variant"], ascending=[True, False, True])
    left_out = {variant: "; ".join(lacks) for variant, lacks in why.items() if lacks}
    return Standings(tuple(data_sets), table, accuracy, ranked.loc[table.index], left_out)
