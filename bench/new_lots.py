"""How often an escape ceiling is kept on lots that nobody has seen, by how much lots differ.

`python bench/new_lots.py [REPEATS]`. Networks of equal skill judge parts whose margins shift
together from lot to lot. The network with the least overkill under the ceiling is picked, as for a
stage that asks for that: the hardest case, in which no escape is left over. The true escape rate
of its threshold is over all lots that there may be.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.report.markdown_table import percent
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.selection.candidates import Judging
from gaikan.variants import Variant

SKILL, SHIFT = 2.0, 1.5  # of a defective part's margin below the border; of a bad lot above others
SEEDS = 3  # whose validation lots are others, where there is a pool
GOODS = np.linspace(SKILL - 3, SKILL + 3, 600)


@dataclass(frozen=True)
class Lots:
    """Validation lots, and how they differ, in deviations of a margin within a lot."""

    count: int
    parts: int  # defective ones of each
    spread: float
    bad: float = 0.0  # share of lots that are shifted by `SHIFT`
    networks: int = 63  # three seeds of the default grid's 21 variants
    pool: int | None = None  # lots of which each seed draws `count`; None: all have the same

    def escapes(self, threshold: float) -> float:
        """The true escape rate over all lots at a threshold."""
        deviation = np.sqrt(1 + self.spread**2)
        rates = [ndtr((shift - SKILL - threshold) / deviation) for shift in (0, SHIFT)]
        return float((1 - self.bad) * rates[0] + self.bad * rates[1])

    def run(self, rng: np.random.Generator) -> RunFiles:
        """Decisions of networks; each lot has its good parts too."""
        size = self.pool or self.count
        shifts = rng.normal(0, self.spread, size)
        shifts += SHIFT * (rng.random(size) < self.bad)
        lots = [np.arange(self.count)]
        if self.pool is not None:
            lots = [rng.permutation(self.pool)[: self.count] for _ in range(SEEDS)]
        label = np.repeat([1, 0], [self.count * self.parts, len(GOODS)])
        one, rows = np.ones(len(label), np.int64), np.arange(len(label))
        networks = []
        for seed in range(self.networks):
            own = lots[seed % len(lots)]
            lot = own.repeat(self.parts)
            group = np.concatenate([lot, own[np.arange(len(GOODS)) % self.count]])
            margin = np.concatenate([rng.normal(shifts[lot] - SKILL), GOODS])
            nearest = np.where(margin > 0, 0, 1)
            part = DecidedParts(rows, label, nearest, one, margin, None, group, np.ones(len(rows)))
            networks.append(NetworkDecisions(Variant("mlp", "a", "mean_image"), seed, part, part))
        return RunFiles(Path(), Config(), ("ok", "bad"), (), 0, tuple(networks), ())


def kept(lots: Lots, ceiling: float, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """(share of repeats with a pick, share of picks under the ceiling, their mean overkill)."""
    rng, overkills, held = np.random.default_rng(seed), [], 0
    stage = Stage(objective="overkill", escape_bound=Share(max=ceiling))
    for _ in range(repeats):
        judging = Judging(lots.run(rng), FactoryConfig(), ceiling)
        judged = [judging.judged(network, stage) for network in judging.run.networks]
        rates = [one.quality.overkill_rate if one.holds else 1 for one in judged]
        chosen = judging.calibration.run.networks[int(np.argmin(np.array(rates)))]
        pick = judging.calibration.judged(chosen, stage)
        if pick.holds and pick.threshold is not None:
            overkills.append(float(ndtr(pick.threshold - SKILL)))
            held += lots.escapes(pick.threshold) <= ceiling
    picks = max(1, len(overkills))
    return len(overkills) / repeats, held / picks, sum(overkills) / picks


CASES = (
    *(Lots(6, 130, spread) for spread in (0.3, 0.6, 1.0)),
    *(Lots(8, 98, spread) for spread in (0.3, 0.6, 1.0)),
    *(Lots(10, 80, spread) for spread in (0.3, 0.6, 1.0)),
    *(Lots(14, 57, spread) for spread in (0.3, 0.6, 1.0)),
    *(Lots(20, 40, spread) for spread in (0.3, 0.6, 1.0)),
    *(Lots(10, 80, spread, pool=25) for spread in (0.6, 1.0)),
    Lots(6, 40, 0.3, bad=0.1),
    Lots(10, 80, 0.3, bad=0.1),
    *(Lots(count, 40, 0.3, bad=0.1) for count in (20, 40)),
)


def main(repeats: int) -> None:
    """Prints a table for the README."""
    figures = "bad lots, % | ceiling, % | picked, % | kept, % | overkill, %"
    print(f"| validation lots | defects each | spread | {figures} |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for lots in CASES:
        for ceiling in (0.1, 0.03):
            shares = " | ".join(percent(share) for share in kept(lots, ceiling, repeats))
            count = lots.count if lots.pool is None else f"{lots.count} of {lots.pool}"
            case = f"| {count} | {lots.parts} | {lots.spread} | {percent(lots.bad)}"
            print(f"{case} | {percent(ceiling)} | {shares} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 300)
