"""From finished cells to tables: every prediction, every score, and what they are worth."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from gaikan.cell import Cell
from gaikan.experiment import Experiment
from gaikan.predict import Decision, anchor_distances, decide, head_distances
from gaikan.score import score
from gaikan.seeds import stream
from gaikan.statistics import resample
from gaikan.store import Tensors, unpack

HEAD = "head"


@dataclass(frozen=True)
class Network:
    """A trained cell: its arrays, and the description that its training left."""

    cell: Cell
    embedded: Tensors
    description: dict[str, Any]

    @classmethod
    def of(cls, cell: Cell, trained: bytes, embedded: bytes) -> "Network":
        """From the two store entries."""
        return cls(cell, unpack(embedded)[0], unpack(trained)[1])

    def decisions(self, split: str, ok: int | None) -> Iterator[tuple[str, Decision]]:
        """Anchor method (or `head`) and its decisions on `split`, for each that it has."""
        arrays = self.embedded
        for anchor in self.cell.anchors:
            distances = anchor_distances(arrays[split], arrays[f"anchors.{anchor}"])
            yield anchor, decide(distances, ok)
        if "head.weight" in arrays:
            distances = head_distances(arrays[split], arrays["head.weight"], arrays["head.bias"])
            yield HEAD, decide(distances, ok)


def predictions(networks: list[Network], experiment: Experiment) -> pd.DataFrame:
    """One row per variant x seed x split x sample; text columns are categories."""
    train, test = experiment.train, experiment.test
    names = np.asarray(train.classes, np.str_)
    ok = None if experiment.ok is None else train.classes.index(experiment.ok)
    frames = []
    for network in networks:
        cell = network.cell
        validation = train.take(cell.validation_rows)
        for split, part in (("validation", validation), ("test", test)):
            for anchor, decision in network.decisions(split, ok):
                columns = {
                    "variant": f"{cell.network}-{anchor}",
                    "seed": cell.recipe.seed,
                    "split": split,
                    "sample": part.rows,
                    "label": part.names,
                    "predicted": names[decision.predicted],
                    "distance": decision.distance.astype(np.float32),
                    "margin": decision.margin.astype(np.float32),
                }
                if decision.ok_margin is not None:
                    columns["ok_margin"] = decision.ok_margin.astype(np.float32)
                frames.append(pd.DataFrame(columns))
    table = pd.concat(frames, ignore_index=True)
    text = ["variant", "split", "label", "predicted"]
    return table.astype(dict.fromkeys(text, "category"))


def accuracy(table: pd.DataFrame, ok: str | None) -> pd.DataFrame:
    """One row per variant x seed x split: `accuracy.csv`."""
    rows = []
    for (variant, seed, split), part in table.groupby(
        ["variant", "seed", "split"], sort=False, observed=True
    ):
        arch, style, anchor = str(variant).split("-", 2)
        scores = score(part["label"].to_numpy(str), part["predicted"].to_numpy(str), ok)
        identity = {"variant": variant, "arch": arch, "style": style, "anchor": anchor}
        rows.append(identity | {"seed": seed, "split": split} | asdict(scores))
    order = {"mlp": 0}  # the order of first appearance puts the slow networks first
    frame = pd.DataFrame(rows)
    frame["_"] = frame["arch"].map(lambda arch: order.get(arch, 1))
    return frame.sort_values("_", kind="stable").drop(columns="_").reset_index(drop=True)


def summary(scores: pd.DataFrame, table: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """One row per variant, best first: test means over seeds, 95 % interval, ties with the best.

    `tied` is missing (None) for a variant that lacks seeds: it stands on other seeds than the
    rest, and is not compared.
    """
    figures = ["accuracy", "balanced_accuracy", "macro_f1", "escape_rate", "overkill_rate"]
    test = scores[scores["split"] == "test"]
    means = (
        test.astype(dict.fromkeys(figures, float)).groupby("variant", sort=False)[figures].mean()
    )
    means["seeds"] = test.groupby("variant", sort=False)["seed"].nunique()
    held = scores[scores["split"] == "validation"].groupby("variant", sort=False)
    means["validation_accuracy"] = held["accuracy"].mean()
    seeds = means["seeds"].max()
    complete = means.index[means["seeds"] == seeds].tolist()
    means["low"], means["high"], means["tied"] = np.nan, np.nan, None
    for group in [complete, *([v] for v in means.index if v not in complete)]:
        drawn = resample(
            _correct(table, group), experiment.test.groups, stream(0, "resample", *group)
        )
        means.loc[group, "low"], means.loc[group, "high"] = drawn.interval()
        if group is complete:
            means.loc[group, "tied"] = drawn.tied_with_best()
    means["kind"] = np.where(means.index.str.endswith(f"-{HEAD}"), "head", "anchor")
    return means.sort_values("accuracy", ascending=False, kind="stable").reset_index()


def _correct(table: pd.DataFrame, variants: list[str]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which test parts were classified right, (V, S, N)."""
    test = table[(table["split"] == "test") & table["variant"].isin(variants)]
    right = test["label"].astype(str) == test["predicted"].astype(str)
    by_variant = [right[test["variant"] == variant] for variant in variants]
    n_seeds = test["seed"].nunique()
    return np.stack([hits.to_numpy().reshape(n_seeds, -1) for hits in by_variant])
