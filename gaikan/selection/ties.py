"""Which variants may be the best on validation by the objective of a stage."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gaikan.config.stages import Stage
from gaikan.evaluation.comparisons import among_best, compare, compare_means, mcnemar
from gaikan.evaluation.costs import part_costs
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.mean_squares import Floats
from gaikan.evaluation.statistics import LEVEL
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.selection.candidates import Candidate, JudgedNetwork, Judging

Pair = tuple[str, str]


@dataclass(frozen=True)
class _Compared:
    may_be_best: frozenset[str]
    pairs: frozenset[frozenset[str]]  # those that share a seed, and so could be compared


class Ties:
    """Paired comparisons between variants, of each two on the seeds whose threshold holds for both.

    The networks of one seed judge the same validation parts; other seeds may share parts with it,
    so with several seeds a part is one unit, however often it was judged. Lots are not the units,
    because few lots show next to nothing (7 lots make a tie of 9 points), and speed may outweigh a
    difference only where not even the parts at hand show it. Two that share no such seed are not
    compared and not tied.
    """

    def __init__(self, judging: Judging) -> None:
        self.judging = judging
        self._compared: dict[object, _Compared] = {}

    def told_apart(
        self, best: Candidate, other: Candidate, among: tuple[str, ...], stage: Stage
    ) -> bool:
        """Whether `other` is no rival of `best`, by the rule of the table's "=", `among` these."""
        if stage.objective == "latency":
            return other.row.p50_ms != best.row.p50_ms
        if other.lost > best.lost:
            errors = round((other.lost - best.lost) * len(best.judged.network.test))
            if mcnemar(0, errors) < 1 - LEVEL:
                return True  # its runtime alone makes it worse
        if other.variant == best.variant:
            return False
        key = (stage.objective, *stage.ceilings.items(), stage.asks, among)
        if key not in self._compared:
            self._compared[key] = self._compare(among, stage)
        compared = self._compared[key]
        pair = frozenset((best.variant, other.variant))
        return pair not in compared.pairs or other.variant not in compared.may_be_best

    def _compare(self, variants: tuple[str, ...], stage: Stage) -> "_Compared":
        """Each pair on the seeds that both have."""
        holding: dict[str, dict[int, JudgedNetwork]] = {variant: {} for variant in variants}
        for network in self.judging.run.networks:
            if network.variant in variants:
                judged = self.judging.judged(network, stage)
                if judged.holds:
                    holding[network.variant][network.seed] = judged
        shared: dict[tuple[int, ...], list[Pair]] = {}
        for one, other in combinations(variants, 2):
            common = holding[one].keys() & holding[other].keys()
            shared.setdefault(tuple(sorted(common)), []).append((one, other))
        found: dict[Pair, tuple[float, float]] = {}
        for seeds, pairs in shared.items():
            among = [variant for variant in variants if holding[variant].keys() >= {*seeds}]
            networks = [[holding[variant][seed] for variant in among] for seed in seeds]
            known = dict(zip(combinations(among, 2), self._pairs(networks, stage), strict=False))
            found |= {pair: known[pair] for pair in pairs if pair in known}
        of_pairs = [found.get(pair, (0.0, 1.0)) for pair in combinations(variants, 2)]
        difference, p = np.array(of_pairs).T
        may = among_best(difference, p, len(variants))
        best = frozenset(v for v, may_be in zip(variants, may.tolist(), strict=True) if may_be)
        return _Compared(best, frozenset(map(frozenset, found)))

    def _pairs(self, seeds: list[list[JudgedNetwork]], stage: Stage) -> list[tuple[float, float]]:
        """Difference and p of all pairs of V variants, from the V networks of each seed.

        Empty where no seed, or no part, is there to compare them on.
        """
        columns: list[Floats] = []
        samples: list[Codes] = []
        for networks in seeds:
            part = networks[0].network.validation
            parts = self._concerned(part, stage)
            columns.append(np.stack([self._terms(one, stage)[parts] for one in networks]))
            samples.append(part.sample[parts])
        if not sum(map(len, samples)):
            return []
        values = np.concatenate(columns, axis=1)[:, None, :]
        units = np.concatenate(samples) if len(seeds) > 1 else None
        if stage.objective != "cost":  # each value is 0 or 1
            compared = compare(values > 0, units)
            return list(zip(compared.difference.tolist(), compared.p.tolist(), strict=True))
        paired = compare_means(values, units)
        return list(zip(paired.mean.tolist(), paired.p_values().tolist(), strict=True))

    def _concerned(self, part: DecidedParts, stage: Stage) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = part.label == self.judging.run.ok
        if stage.objective in ("escape", "overkill"):
            return good if stage.objective == "overkill" else ~good
        return np.ones(len(part), bool)

    def _terms(self, judged: JudgedNetwork, stage: Stage) -> Floats:
        """What each validation part (N,) adds, more being better: 1 or 0, or less what it costs."""
        actual, called = judged.network.validation.label, judged.settled
        ok = self.judging.run.ok
        if stage.objective == "cost":
            return -part_costs(actual, called, ok, self.judging.costs)
        if stage.objective == "accuracy":
            return np.equal(judged.predicted, actual).astype(np.float64)
        wrong = escaped(actual, called, ok) | overkilled(actual, called, ok)
        return (~wrong).astype(np.float64)
