"""From trained networks to tables: every prediction, every score, intervals and comparisons."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.data.frames import Frames, Names
from gaikan.evaluation.comparisons import Comparisons, among_best, compare, compare_means
from gaikan.evaluation.costs import cost_per_1000, extreme_costs, part_costs
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.rates import JudgedParts
from gaikan.evaluation.references import Reference
from gaikan.evaluation.score import score
from gaikan.evaluation.statistics import intervals
from gaikan.networks import NETWORKS
from gaikan.training.cell import Cell
from gaikan.training.nearest_anchor import Decision, decide
from gaikan.training.stored_network import StoredEmbeddings, StoredNetwork
from gaikan.variants import HEAD, REFERENCE, Variant

_SPLITS = ("validation", "test")


@dataclass(frozen=True)
class EvaluatedNetwork:
    """A trained cell, and what the store holds of it."""

    cell: Cell
    trained: StoredNetwork
    embedded: StoredEmbeddings

    @classmethod
    def of(cls, cell: Cell, trained: bytes, embedded: bytes) -> "EvaluatedNetwork":
        """From the store entries of its training and of its embeddings."""
        return cls(cell, StoredNetwork.unpack(trained), StoredEmbeddings.unpack(embedded))

    @property
    def seed(self) -> int:
        """The seed of its split, initial weights and batches."""
        return self.cell.recipe.seed

    @property
    def validation_rows(self) -> NDArray[np.int64]:
        """Rows (M,) of the train source that are its validation part."""
        return self.cell.validation_rows

    @property
    def variants(self) -> list[Variant]:
        """One for each anchor method, and one for the head if it has one."""
        head = [] if self.embedded.head is None else [HEAD]
        return [self.cell.variant(anchor) for anchor in (*self.cell.anchors, *head)]

    def decisions(self, split: str, ok: int | None) -> Iterator[tuple[Variant, Decision]]:
        """Each variant and its decisions on `split`; `ok` is the index of the good class."""
        embeddings = self.embedded.of(split)
        for variant in self.variants:
            yield variant, decide(self.embedded.distances(variant.anchor, embeddings), ok)

    def novelty_p(self, split: str, groups: Names | None) -> NDArray[np.float32]:
        """Novelty p-values (N,) of the parts of `split`; `groups` are those of the train source."""
        lots = None if groups is None else groups[self.validation_rows]
        return self.embedded.novelty_p(split, lots)


def predictions(
    judges: Sequence[EvaluatedNetwork | Reference], experiment: Experiment
) -> pd.DataFrame:
    """One row per variant x seed x split x sample.

    Text columns are categories: as text, a million parts and a dozen variants take gigabytes.
    """
    train, test = experiment.train, experiment.test
    ok = None if experiment.ok is None else train.classes.index(experiment.ok)
    parts = dict(zip(_SPLITS, _known(train, test), strict=True))
    decided = [
        (judge, split, novelty_p, variant.name, decision)
        for judge in judges
        for split in _SPLITS
        for novelty_p in [judge.novelty_p(split, train.groups)]  # once for all its variants
        for variant, decision in judge.decisions(split, ok)
    ]
    variants = list(dict.fromkeys(variant for *_, variant, _ in decided))
    frames = []
    for judge, split, novelty_p, variant, decision in decided:
        known = parts[split] if split == "test" else parts[split].iloc[judge.validation_rows]
        columns = {
            "variant": _repeated(variant, variants, len(known)),
            "seed": judge.seed,
            "split": _repeated(split, _SPLITS, len(known)),
            "sample": known["sample"].array,
            "label": known["label"].array,
            "predicted": _category(decision.predicted, test.classes),
            "distance": decision.distance.astype(np.float32),
            "margin": decision.margin.astype(np.float32),
            "novelty_p": novelty_p,
        }
        if decision.ok_margin is not None and decision.defect is not None:
            columns["ok_margin"] = decision.ok_margin.astype(np.float32)
            columns["defect"] = _category(decision.defect, test.classes)
        last = {name: known[name].array for name in ("mode", "group", "origin") if name in known}
        frames.append(pd.DataFrame(columns | last))
    return pd.concat(frames, ignore_index=True)


def _known(train: Frames, test: Frames) -> list[pd.DataFrame]:
    """What is known of each part of both sources, text as categories that they share."""
    tables = [
        pd.DataFrame({"sample": frames.rows, "label": _category(frames.labels, test.classes)})
        for frames in (train, test)
    ]
    modes, groups = (train.modes, test.modes), (train.groups, test.groups)
    for column, texts in (("mode", modes), ("group", groups)):
        present = [text for text in texts if text is not None]
        if present:
            names = np.unique(np.concatenate([np.unique(text) for text in present]))
            for table, text in zip(tables, texts, strict=True):
                absent = np.full(len(table), -1)
                codes = absent if text is None else np.searchsorted(names, text)
                table[column] = _category(codes, names)
    places = [[frames.place(i) for i in range(len(frames))] for frames in (train, test)]
    codes, origins = pd.factorize(np.asarray([*places[0], *places[1]], object))
    tables[0]["origin"] = _category(codes[: len(train)], origins)
    tables[1]["origin"] = _category(codes[len(train) :], origins)
    return tables


def _repeated(text: str, known: Sequence[str], times: int) -> Any:
    return _category(np.full(times, known.index(text)), known)


def _category(codes: NDArray[np.int64], known: Sequence[str] | NDArray[np.str_]) -> Any:
    """A column of the texts `known` by their numbers; -1 is none of them."""
    return pd.Categorical.from_codes(codes, pd.Index(known))


def accuracy(
    table: pd.DataFrame, judges: Sequence[EvaluatedNetwork | Reference], ok: str | None
) -> pd.DataFrame:
    """One row per variant x seed x split, `accuracy.csv`: as registered, frozen, references."""
    known = {variant.name: asdict(variant) for judge in judges for variant in judge.variants}
    rows = []
    for (variant, seed, split), part in table.groupby(
        ["variant", "seed", "split"], sort=False, observed=True
    ):
        scores = score(part["label"].to_numpy(str), part["predicted"].to_numpy(str), ok)
        identity = {"variant": variant} | known[str(variant)]
        rows.append(identity | {"seed": seed, "split": split} | asdict(scores))
    order = {arch: i for i, arch in enumerate(NETWORKS)} | {REFERENCE: len(NETWORKS) + 1}
    rows.sort(key=lambda row: order.get(row["arch"], len(NETWORKS)))
    return pd.DataFrame(rows)


def judged(table: pd.DataFrame, experiment: Experiment) -> tuple[JudgedParts, list[JudgedParts]]:
    """(complete, incomplete): the test decisions as arrays.

    `complete` has all variants that have every seed; `incomplete` has one item for each variant
    that lacks a seed because a training failed.
    """
    test = table[table["split"] == "test"]
    seeds = {str(v): tuple(part["seed"].unique().tolist()) for v, part in _by_variant(test)}
    most = max(map(len, seeds.values()))
    whole = [variant for variant, own in seeds.items() if len(own) == most]
    lacking = [variant for variant in seeds if variant not in whole]
    parts = {str(variant): part for variant, part in _by_variant(test)}

    def parts_of(variants: list[str]) -> JudgedParts:
        """What these variants, all of the same seeds, call each test part."""
        frames = experiment.test
        shape = (len(seeds[variants[0]]), len(frames))
        predicted = [parts[v]["predicted"].to_numpy(str).reshape(shape) for v in variants]
        return JudgedParts(
            tuple(variants),
            seeds[variants[0]],
            np.stack(predicted),
            frames.names,
            frames.modes,
            frames.groups,
        )

    return parts_of(whole), [parts_of([variant]) for variant in lacking]


def _by_variant(table: pd.DataFrame) -> Any:
    return table.groupby("variant", sort=False, observed=True)


def summary(
    scores: pd.DataFrame,
    complete: JudgedParts,
    incomplete: list[JudgedParts],
    ok: str | None,
    factory: FactoryConfig,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(summary, comparisons) of the test figures.

    The summary has one row per variant, best first: means over seeds, 95 % interval, and `tied`:
    which may be the most accurate. It is missing (None) for a variant that lacks seeds: it stands
    on other seeds than the others, and is not compared. Where the costs of the `factory` are told
    and the test part shows both errors, the best are the cheapest at its defect rate: `cost` of
    1,000 parts, and `cheapest`: which may be it.
    """
    figures = ["accuracy", "balanced_accuracy", "macro_f1", "escape_rate", "overkill_rate"]
    test = scores[scores["split"] == "test"]
    means = (
        test.astype(dict.fromkeys(figures, float)).groupby("variant", sort=False)[figures].mean()
    )
    means["seeds"] = test.groupby("variant", sort=False)["seed"].nunique()
    validation = scores[scores["split"] == "validation"].groupby("variant", sort=False)
    means["validation_accuracy"] = validation["accuracy"].mean()
    means["low"], means["high"], means["tied"] = np.nan, np.nan, None
    for parts in [complete, *incomplete]:
        rows = list(parts.variants)
        bounds = intervals(parts.correct, parts.groups)
        means.loc[rows, "low"], means.loc[rows, "high"] = bounds.low, bounds.high
    pairs = compare(complete.correct, complete.groups)
    names = complete.variants
    means.loc[list(names), "tied"] = pairs.may_be_best
    names_of = scores.drop_duplicates("variant").set_index("variant")[["arch", "style", "anchor"]]
    kinds = {name: Variant(*parts).kind for name, *parts in names_of.itertuples()}
    means["kind"] = means.index.map(kinds)
    ranked = means.sort_values("accuracy", ascending=False, kind="stable")
    good = complete.actual == ok
    if factory.defect_rate is not None and 0 < good.sum() < len(good):
        shares = zip(ranked["escape_rate"], ranked["overkill_rate"], strict=True)
        ranked["cost"] = [cost_per_1000(*pair, factory) for pair in shares]
        ranked["cheapest"] = None
        ranked.loc[list(names), "cheapest"] = may_be_cheapest(complete, ok, factory)
        ranked = ranked.sort_values("cost", kind="stable")
    return ranked.reset_index(), _comparisons(pairs, names)


def may_be_cheapest(
    judged: JudgedParts, ok: str | None, factory: FactoryConfig
) -> NDArray[np.bool_]:
    """Which variants (V,) may be the truly cheapest, by the rule of `among_best`."""
    if len(judged.variants) < 2:
        return np.ones(len(judged.variants), bool)
    costs = part_costs(judged.actual, judged.predicted, ok, extreme_costs(factory))
    differences = compare_means(-costs, judged.groups)
    return among_best(differences.mean, differences.p_values(), len(costs))


def _comparisons(pairs: Comparisons, names: tuple[str, ...]) -> pd.DataFrame:
    """`comparisons.csv`: one row per pair, its better variant first, most different on top."""
    swap = pairs.difference < 0
    first, second = (
        np.where(swap, pairs.second, pairs.first),
        np.where(swap, pairs.first, pairs.second),
    )
    sign = np.where(swap, -1.0, 1.0)
    table = pd.DataFrame(
        {
            "variant": np.asarray(names)[first],
            "other": np.asarray(names)[second],
            "difference": sign * pairs.difference,
            "low": np.where(swap, -pairs.high, pairs.low),
            "high": np.where(swap, -pairs.low, pairs.high),
            "p": pairs.p,
            "p_holm": pairs.p_holm,
            "differs": pairs.differs,
            "variant_only_right": np.where(swap, pairs.second_only, pairs.first_only),
            "other_only_right": np.where(swap, pairs.first_only, pairs.second_only),
        }
    )
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)
