"""Which variants cannot be told apart on validation, by what a stage wants most of."""

import numpy as np
from numpy.typing import NDArray

from gaikan.rates import cost_per_1000
from gaikan.selection.candidates import Candidate, Judged, Judging
from gaikan.selection.run_files import Codes, Network
from gaikan.stages import Stage
from gaikan.statistics import LEVEL, MeanSquares, Units, compare, estimate, holm, mcnemar

Values = NDArray[np.float64] | NDArray[np.bool_]


class Ties:
    """Paired comparisons between variants, on all seeds that have a threshold in each of them.

    The networks of one seed judge the same validation parts; seeds have other parts, or some of
    the same, so units are lots where there are any, else the parts of the source. Variants that
    share no such seed, or whose validation parts are of one lot, are not compared and not tied.
    """

    def __init__(self, judging: Judging) -> None:
        self.judging = judging
        self._apart: dict[object, dict[frozenset[str], bool]] = {}

    def told_apart(
        self, best: Candidate, other: Candidate, among: tuple[str, ...], stage: Stage
    ) -> bool:
        """Whether `other` is worse than `best`: one of the pairs of the variants `among`."""
        if stage.objective == "latency":
            return other.row.p50_ms != best.row.p50_ms
        parts = len(best.judged.network.test)
        if mcnemar(0, round(max(0.0, other.lost - best.lost) * parts)) < 1 - LEVEL:
            return True  # its runtime alone makes it so
        if other.variant == best.variant:
            return False
        key = (stage.objective, *stage.ceilings.items(), among)
        if key not in self._apart:
            self._apart[key] = self._compare(among, stage)
        return self._apart[key][frozenset((best.variant, other.variant))]

    def _compare(self, variants: tuple[str, ...], stage: Stage) -> dict[frozenset[str], bool]:
        seeds: dict[int, dict[str, Judged]] = {}
        for network in self.judging.run.networks:
            if network.variant in variants:
                judged = self.judging.judged(network, stage)
                if judged.holds:
                    seeds.setdefault(network.seed, {})[network.variant] = judged
        whole = [held for held in seeds.values() if len(held) == len(variants)]
        first, second = np.triu_indices(len(variants), 1)
        apart = np.ones(len(first), bool)
        values, groups = self._values(variants, whole, stage)
        if values.shape[1] and (groups is None or len(np.unique(groups)) > 1):
            apart = _differs(values, groups)
        pairs = zip(first.tolist(), second.tolist(), apart.tolist(), strict=True)
        return {frozenset((variants[a], variants[b])): differs for a, b, differs in pairs}

    def _values(
        self, variants: tuple[str, ...], seeds: list[dict[str, Judged]], stage: Stage
    ) -> tuple[Values, Codes | None]:
        """What the objective averages, (V, M) over all seeds' parts, and their groups (M,)."""
        columns, groups = [], []
        grouped = True
        for held in seeds:
            part = held[variants[0]].network.validation
            parts = self._concerned(held[variants[0]].network, stage)
            rows = [self._of(held[variant], stage)[parts] for variant in variants]
            columns.append(np.stack(rows))
            groups.append((part.sample if part.group is None else part.group)[parts])
            grouped = part.group is not None or len(seeds) > 1
        if not columns:
            return np.zeros((len(variants), 0), bool), None
        return np.concatenate(columns, axis=1), np.concatenate(groups) if grouped else None

    def _concerned(self, network: Network, stage: Stage) -> NDArray[np.bool_]:
        label, ok = network.validation.label, self.judging.run.ok
        if stage.objective == "escape":
            return label != ok
        if stage.objective == "overkill":
            return label == ok
        return np.ones(len(label), bool)

    def _of(self, judged: Judged, stage: Stage) -> Values:
        part, ok = judged.network.validation, self.judging.run.ok
        if stage.objective == "accuracy":
            return judged.predicted == part.label
        wrong = (judged.predicted == ok) != (part.label == ok)
        if stage.objective != "cost":
            return wrong
        good = part.label == ok
        share = np.where(good, good.mean(), (~good).mean())
        factory = self.judging.factory
        cost = [cost_per_1000(*rates, factory) or 0.0 for rates in ((1.0, 0.0), (0.0, 1.0))]
        return np.where(wrong, np.where(good, cost[1], cost[0]) / share, 0.0)


def _differs(values: Values, groups: Codes | None) -> NDArray[np.bool_]:
    """Pairs (P,) of rows of values (V, M) whose means differ, as `compare` orders them."""
    if values.dtype == bool:
        return compare(values[:, None, :].astype(bool), groups).differs
    first, second = np.triu_indices(len(values), 1)
    pairs = (values[first] - values[second])[:, None, :]
    p = estimate(MeanSquares.of(Units.of(pairs, groups))).p_values()
    return holm(p) < 1 - LEVEL
