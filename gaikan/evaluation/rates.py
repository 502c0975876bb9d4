"""Escapes and overkills of a variant with bounds and cost, and its recall by kind of part."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import cost_per_1000, upper_bound_over_groups, verdict
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.statistics import intervals

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
    much they differ. `cost` and `cost_bound` are per 1,000 parts at the factory's own defect rate,
    at the rates and at the bounds. A rate without parts of its kind is NaN: not measured.
    """
    good = judged.actual == ok
    defects, goods = int((~good).sum()), int(good.sum())
    rows = []
    for v, variant in enumerate(judged.variants):
        escapes = escaped(judged.actual, judged.predicted[v], ok)
        overkills = overkilled(judged.actual, judged.predicted[v], ok)
        escape = _error_rate(escapes, ~good, judged.groups)
        overkill = _error_rate(overkills, good, judged.groups)
        row: dict[str, Any] = {
            "variant": variant,
            "escapes": " ".join(map(str, escape.counts)),
            "defects": defects,
            "escape_rate": escape.rate,
            "escape_bound": escape.bound,
            "overkills": " ".join(map(str, overkill.counts)),
            "goods": goods,
            "overkill_rate": overkill.rate,
            "overkill_bound": overkill.bound,
            "cost": _cost(escape.rate, overkill.rate, factory),
            "cost_bound": _cost(escape.bound, overkill.bound, factory),
        }
        if factory.escape_target is not None:
            worst = max(escape.counts)
            row["target"] = verdict(worst, defects, factory.escape_target, escape.bound)
        rows.append(row)
    return pd.DataFrame(rows)


def _cost(escape: float, overkill: float, factory: FactoryConfig) -> float:
    cost = cost_per_1000(escape, overkill, factory)
    return np.nan if cost is None else cost


@dataclass(frozen=True)
class _ErrorRate:
    """How often networks make one kind of error; NaN where there was no part to err on."""

    counts: list[int]  # by seed
    rate: float  # mean over seeds
    bound: float  # upper bound of the worst seed


def _error_rate(
    errors: NDArray[np.bool_], parts: NDArray[np.bool_], groups: Names | None
) -> _ErrorRate:
    """From `errors` (S, N) of parts in `groups` (N,); the rate is of those in `parts` (N,)."""
    events = errors[:, parts]
    counts = events.sum(1).tolist()
    if not events.shape[1]:
        return _ErrorRate(counts, np.nan, np.nan)
    own = None if groups is None else groups[parts]
    bound = max(upper_bound_over_groups(seed, own) for seed in events)
    return _ErrorRate(counts, float(events.mean()), bound)


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
