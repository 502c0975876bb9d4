"""Escapes and overkills of a variant with bounds and cost, and its recall by kind of part."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import upper_bounds_over_groups, verdict
from gaikan.evaluation.costs import cost_per_1000
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.mean_squares import Floats, Units, effective_units
from gaikan.evaluation.statistics import LEVEL, exact_high, intervals
from gaikan.language.words import packed

Names = NDArray[np.str_]


@dataclass(frozen=True)
class JudgedParts:
    """What V variants, each trained with the same S seeds, called the same N test parts."""

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    predicted: Names  # (V, S, N) class names
    actual: Names  # (N,)
    modes: Names | None  # (N,)
    groups: Names | None  # (N,)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Which parts were classified right, (V, S, N)."""
        return np.equal(self.predicted, self.actual)

    def at(self, parts: NDArray[np.bool_]) -> "JudgedParts":
        """Only the parts (N,) that are marked."""
        return JudgedParts(
            self.variants,
            self.seeds,
            self.predicted[:, :, parts],
            self.actual[parts],
            None if self.modes is None else self.modes[parts],
            None if self.groups is None else self.groups[parts],
        )


def rates(judged: JudgedParts, ok: str, factory: FactoryConfig) -> pd.DataFrame:
    """One row a variant: escapes and overkills with counts, rates, upper bounds and cost.

    `escapes` and `overkills` are counts of each seed's network, as text ("3 0 1"), of `defects`
    and `goods` parts, which are the same for all. A rate is the mean over seeds. `*_bound` is the
    95 % upper bound of the seed that erred most: with that confidence it holds for the network of
    any one seed that is chosen without looking at these figures. With groups it is widened by how
    much they differ. `escape_bound_picked` holds for whichever variant is picked by looking at
    these bounds: Bonferroni's correction over all of them. `defect_lots` (NaN without groups) say
    as much of others as `equal_defect_lots` equally large ones. `cost` and `cost_bound` are per
    1,000 parts at the factory's own defect rate, at the rates and at the bounds. A rate without
    parts of its kind is NaN: not measured.
    """
    good = judged.actual == ok
    defects, goods = int((~good).sum()), int(good.sum())
    groups = None if judged.groups is None else np.unique(judged.groups, return_inverse=True)[1]
    lots = _lots_of(None if groups is None else groups[~good])
    each = 1 - (1 - LEVEL) / len(judged.variants)
    rows = []
    for v, variant in enumerate(judged.variants):
        escapes = escaped(judged.actual, judged.predicted[v], ok)
        overkills = overkilled(judged.actual, judged.predicted[v], ok)
        escape = _Errors(escapes[:, ~good], None if groups is None else groups[~good])
        overkill = _Errors(overkills[:, good], None if groups is None else groups[good])
        escape_bound, overkill_bound = escape.bound(LEVEL), overkill.bound(LEVEL)
        row: dict[str, Any] = {
            "variant": variant,
            "escapes": escape.counts,
            "defects": defects,
            **lots,
            "escape_rate": escape.rate,
            "escape_bound": escape_bound,
            "escape_bound_picked": escape.bound(each),
            "overkills": overkill.counts,
            "goods": goods,
            "overkill_rate": overkill.rate,
            "overkill_bound": overkill_bound,
            "cost": _cost(escape.rate, overkill.rate, factory),
            "cost_bound": _cost(escape_bound, overkill_bound, factory),
        }
        if factory.escape_target is not None:
            row["target"] = packed(verdict(escape.worst, escape.groups, factory.escape_target))
        rows.append(row)
    return pd.DataFrame(rows)


def _lots_of(groups: NDArray[np.int64] | None) -> dict[str, float]:
    """How many lots the defective parts (n,) are of, and how many equal ones say as much."""
    if groups is None or not len(groups):
        return {"defect_lots": np.nan, "equal_defect_lots": np.nan}
    sizes = np.unique(groups, return_counts=True)[1]
    return {"defect_lots": len(sizes), "equal_defect_lots": effective_units(sizes)}


def _cost(escape: float, overkill: float, factory: FactoryConfig) -> float:
    cost = cost_per_1000(escape, overkill, factory)
    return np.nan if cost is None else cost


@dataclass(frozen=True)
class _Errors:
    """One kind of error of S networks, on the n parts that they can make it on."""

    events: NDArray[np.bool_]  # (S, n)
    groups: NDArray[np.int64] | None  # (n,)

    @property
    def counts(self) -> str:
        """Of each seed, as text."""
        return " ".join(map(str, self.events.sum(1).tolist()))

    @property
    def rate(self) -> float:
        """Mean over seeds; NaN without parts."""
        return float(self.events.mean()) if self.events.size else np.nan

    def bounds(self, level: float) -> Floats:
        """Upper bounds (S,)."""
        n = self.events.shape[1]
        if self.groups is None or not n:
            return exact_high(self.events.sum(1), n, level)
        return upper_bounds_over_groups(Units.of(self.events[:, None], self.groups), level)

    def bound(self, level: float) -> float:
        """Upper bound of the seed that erred most; NaN without parts."""
        return float(self.bounds(level).max()) if self.events.size else np.nan

    @property
    def worst(self) -> NDArray[np.bool_]:
        """Errors (n,) of the seed that erred most."""
        worst: NDArray[np.bool_] = self.events[int(self.bounds(LEVEL).argmax())]
        return worst


def recalls(judged: JudgedParts, kinds: Names, ok: str | None) -> pd.DataFrame:
    """One row per kind of part and variant; `kinds` (N,) are classes, or else failure modes.

    `right` counts over all seeds, of `parts` a seed; `recall` is their share, with the interval
    over seeds and parts; `escapes` are those called good, over all seeds (empty without `ok`, and
    for good parts).
    """
    frames = []
    for kind in sorted(set(kinds.tolist())):
        part = judged.at(kinds == kind)
        right = part.correct
        recall = intervals(right, part.groups)
        columns: dict[str, Any] = {
            "variant": judged.variants,
            "kind": kind,
            "parts": len(part.actual),
            "seeds": len(judged.seeds),
            "right": right.sum((1, 2)),
            "recall": recall.mean,
            "low": recall.low,
            "high": recall.high,
        }
        if ok is not None:
            escapes = escaped(part.actual, part.predicted, ok).sum((1, 2))
            columns["escapes"] = escapes if (part.actual != ok).any() else pd.NA
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
