"""Which variants cannot be told apart on validation by the objective of a stage."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gaikan.config.stages import Stage
from gaikan.evaluation import statistics
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.selection.candidates import Candidate, JudgedNetwork, Judging


class Ties:
    """Paired comparisons between variants, of each two on the seeds whose threshold holds for both.

    The networks of one seed judge the same validation parts; other seeds may share parts with it,
    so with several seeds a part is one unit, however often it was judged. Lots are not the units,
    because few lots show next to nothing (7 lots make a tie of 9 points), and speed may outweigh a
    difference only where not even the parts at hand show it. Two that share no such seed are not
    compared and not tied, and are no test that others are corrected for.
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
            if statistics.mcnemar(0, errors) < 1 - statistics.LEVEL:
                return True  # its runtime alone makes it worse
        if other.variant == best.variant:
            return False
        key = (stage.objective, *stage.ceilings.items(), among)
        if key not in self._apart:
            self._apart[key] = self._compare(among, stage)
        return self._apart[key][frozenset((best.variant, other.variant))]

    def _compare(self, variants: tuple[str, ...], stage: Stage) -> dict[frozenset[str], bool]:
        """By pair, whether the two differ, on the seeds that both have."""
        holding: dict[str, dict[int, JudgedNetwork]] = {variant: {} for variant in variants}
        for network in self.judging.run.networks:
            if network.variant in variants:
                judged = self.judging.judged(network, stage)
                if judged.holds:
                    holding[network.variant][network.seed] = judged
        shared: dict[tuple[int, ...], list[tuple[str, str]]] = {}
        for one, other in combinations(variants, 2):
            common = holding[one].keys() & holding[other].keys()
            shared.setdefault(tuple(sorted(common)), []).append((one, other))
        apart = {frozenset(pair): True for pair in shared.pop((), [])}  # not compared
        p: dict[tuple[str, str], float] = {}
        for seeds, pairs in shared.items():
            among = [variant for variant in variants if holding[variant].keys() >= {*seeds}]
            networks = [[holding[variant][seed] for variant in among] for seed in seeds]
            found = self._p_values(networks, stage)
            known = dict(zip(combinations(among, 2), found.tolist(), strict=True))
            p |= {pair: known[pair] for pair in pairs}
        differs = statistics.holm(np.array(list(p.values()))) < 1 - statistics.LEVEL
        return apart | dict(zip(map(frozenset, p), differs.tolist(), strict=True))

    def _p_values(self, seeds: list[list[JudgedNetwork]], stage: Stage) -> statistics.Floats:
        """The p (P,) of all pairs of V variants, from the V networks of each seed."""
        columns: list[statistics.Floats] = []
        samples: list[Codes] = []
        for networks in seeds:
            part = networks[0].network.validation
            parts = self._concerned(part, stage)
            columns.append(np.stack([self._terms(one, stage)[parts] for one in networks]))
            samples.append(part.sample[parts])
        values = np.concatenate(columns, axis=1)[:, None, :]
        units = np.concatenate(samples) if len(seeds) > 1 else None
        first, second = np.triu_indices(len(values), 1)
        if not values.size:  # no part of the kind that the objective counts
            return np.zeros(len(first))
        if stage.objective != "cost":  # each value is 0 or 1
            return statistics.compare(values > 0, units).p
        return statistics.estimate(
            statistics.MeanSquares.of(statistics.Units.of(values[first] - values[second], units))
        ).p_values()

    def _concerned(self, part: DecidedParts, stage: Stage) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = part.label == self.judging.run.ok
        if stage.objective in ("escape", "overkill"):
            return good if stage.objective == "overkill" else ~good
        return np.ones(len(part), bool)

    def _terms(self, judged: JudgedNetwork, stage: Stage) -> statistics.Floats:
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
        costs: statistics.Floats = np.where(wrong, len(part) * cost, 0.0)
        return costs
