"""Which variants cannot be told apart on validation by the objective of a stage."""

import numpy as np
from numpy.typing import NDArray

from gaikan.config.stages import Stage
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.statistics import (
    LEVEL,
    Floats,
    MeanSquares,
    Units,
    compare,
    estimate,
    holm,
    mcnemar,
)
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.selection.candidates import Candidate, JudgedNetwork, Judging


class Ties:
    """Paired comparisons between variants, on the seeds whose threshold holds for each of them.

    The networks of one seed judge the same validation parts; other seeds may share parts with it,
    so with several seeds a part is one unit, however often it was judged. Lots are not the units,
    because few lots show next to nothing (7 lots make a tie of 9 points), and speed may outweigh a
    difference only where not even the parts at hand show it. Variants that share no such seed are
    not compared and not tied.
    """

    def __init__(self, judging: Judging) -> None:
        self.judging = judging
        self._apart: dict[object, dict[frozenset[str], bool]] = {}

    def told_apart(
        self, best: Candidate, other: Candidate, among: tuple[str, ...], stage: Stage
    ) -> bool:
        """Whether `other` is worse than `best`; corrected over all pairs of variants `among`."""
        if stage.objective == "latency":
            return other.row.p50_ms != best.row.p50_ms
        if other.lost > best.lost:
            errors = round((other.lost - best.lost) * len(best.judged.network.test))
            if mcnemar(0, errors) < 1 - LEVEL:
                return True  # its runtime alone makes it worse
        if other.variant == best.variant:
            return False
        key = (stage.objective, *stage.ceilings.items(), among)
        if key not in self._apart:
            self._apart[key] = self._compare(among, stage)
        return self._apart[key][frozenset((best.variant, other.variant))]

    def _compare(self, variants: tuple[str, ...], stage: Stage) -> dict[frozenset[str], bool]:
        seeds: dict[int, dict[str, JudgedNetwork]] = {}
        for network in self.judging.run.networks:
            if network.variant in variants:
                judged = self.judging.judged(network, stage)
                if judged.holds:
                    seeds.setdefault(network.seed, {})[network.variant] = judged
        whole = [networks for networks in seeds.values() if len(networks) == len(variants)]
        first, second = np.triu_indices(len(variants), 1)
        values, parts = self._values(variants, whole, stage)
        apart = np.ones(len(first), bool)
        if len(parts):
            units = parts if len(whole) > 1 else None
            apart = _differs(values, units, stage.objective != "cost")
        pairs = zip(first.tolist(), second.tolist(), apart.tolist(), strict=True)
        return {frozenset((variants[a], variants[b])): differs for a, b, differs in pairs}

    def _values(
        self, variants: tuple[str, ...], seeds: list[dict[str, JudgedNetwork]], stage: Stage
    ) -> tuple[Floats, Codes]:
        """What the objective averages, (V, M) over all seeds, and which parts those are (M,)."""
        columns: list[Floats] = [np.zeros((len(variants), 0))]
        samples: list[Codes] = [np.zeros(0, np.int64)]
        for networks in seeds:
            part = networks[variants[0]].network.validation
            parts = self._concerned(part, stage)
            columns.append(np.stack([self._terms(networks[v], stage)[parts] for v in variants]))
            samples.append(part.sample[parts])
        return np.concatenate(columns, axis=1), np.concatenate(samples)

    def _concerned(self, part: DecidedParts, stage: Stage) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = part.label == self.judging.run.ok
        if stage.objective in ("escape", "overkill"):
            return good if stage.objective == "overkill" else ~good
        return np.ones(len(part), bool)

    def _terms(self, judged: JudgedNetwork, stage: Stage) -> Floats:
        """What each validation part (N,) adds to the objective: 1 or 0, or what its error costs."""
        part, ok = judged.network.validation, self.judging.run.ok
        good: NDArray[np.bool_] = part.label == ok
        predicted = judged.predicted
        wrong = escaped(part.label, predicted, ok) | overkilled(part.label, predicted, ok)
        if stage.objective != "cost":
            right = np.equal(judged.predicted, part.label)
            return (right if stage.objective == "accuracy" else wrong).astype(np.float64)
        escape, overkill = self.judging.costs
        goods = int(good.sum())
        cost = np.where(good, overkill / max(1, goods), escape / max(1, len(part) - goods))
        costs: Floats = np.where(wrong, len(part) * cost, 0.0)
        return costs


def _differs(values: Floats, units: Codes | None, exact: bool) -> NDArray[np.bool_]:
    """Pairs (P,) of rows of values (V, M) whose means differ, as `compare` orders them.

    `exact` values are 0 or 1.
    """
    if exact:
        return compare(values[:, None, :] > 0, units).differs
    first, second = np.triu_indices(len(values), 1)
    pairs = (values[first] - values[second])[:, None, :]
    p = estimate(MeanSquares.of(Units.of(pairs, units))).p_values()
    return holm(p) < 1 - LEVEL
