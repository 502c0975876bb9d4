"""Whether a stage that asks keeps its word on lots that nobody has seen.

`python bench/asking.py [REPEATS]`. Lots and networks are those of `new_lots.py`; each part has a
novelty score too, which shifts from lot to lot as much as the margins do, but by itself. Of the
networks the one with the least overkill under the escape ceiling is picked, with the level of its
p-values at which as many good parts are asked about as the stage allows. True shares are over all
lots that there may be.
"""

import sys
from dataclasses import replace

import numpy as np
from new_lots import SKILL, Lots
from numpy.typing import NDArray
from scipy.special import ndtr

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.novelty.conformal import calibration, own_p_values, p_values
from gaikan.report.markdown_table import percent
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.candidates import JudgedNetwork, Judging

NEWER = 1.5  # how much newer a defective part looks, in deviations within a lot
Scores = NDArray[np.float32]


def with_scores(lots: Lots, rng: np.random.Generator) -> tuple[RunFiles, list[Scores]]:
    """A run of these lots with p-values, and the scores of each network, which they are made of."""
    run, shifts, networks, scores = lots.run(rng), rng.normal(0, lots.spread, lots.count), [], []
    for network in run.networks:
        part = network.validation
        assert part.group is not None
        score = rng.normal(NEWER * part.label + shifts[part.group]).astype(np.float32)
        p = own_p_values(score, part.group).astype(np.float64)
        part = replace(part, novelty_p=p)
        networks.append(replace(network, validation=part, test=part))
        scores.append(score)
    return replace(run, networks=tuple(networks)), scores


def asked_from(score: Scores, group: NDArray[np.int64], level: float) -> float:
    """The lowest score that is asked about, as the line does with all validation parts."""
    calibrated = calibration(score, group)
    new = calibrated[p_values(calibrated, calibrated) <= level]
    return float(new.min()) if len(new) else np.inf


def picked(judging: Judging, stage: Stage) -> tuple[int, JudgedNetwork]:
    """The network with the least overkill of those that hold, as the lots that calibrate see it."""
    judged = [judging.judged(network, stage) for network in judging.run.networks]
    rates = [one.quality.overkill_rate if one.holds else 1 for one in judged]
    chosen = int(np.argmin(np.array(rates)))
    calibration = judging.calibration
    return chosen, calibration.judged(calibration.run.networks[chosen], stage)


def kept(lots: Lots, ceiling: float, ask: float, repeats: int) -> tuple[float, ...]:
    """Shares: of repeats with a pick; of picks under the ceiling; overkill; of good parts asked.

    The last two are means over picks; then follows the share of picks that ask about more.
    """
    rng, found = np.random.default_rng(0), []
    stage = Stage(objective="overkill", escape_bound=Share(max=ceiling), ask_rate=Share(max=ask))
    deviation = np.sqrt(1 + lots.spread**2)
    for _ in range(repeats):
        run, scores = with_scores(lots, rng)
        chosen, pick = picked(Judging(run, FactoryConfig(), ceiling), stage)
        if not pick.holds:
            continue
        assert pick.threshold is not None
        assert pick.ask_level is not None
        group = run.networks[chosen].validation.group
        assert group is not None
        limit = asked_from(scores[chosen], group, pick.ask_level)
        escapes = lots.escapes(pick.threshold) * ndtr((limit - NEWER) / deviation)
        overkill = ndtr(pick.threshold - SKILL)
        asks = (1 - overkill) * ndtr(-limit / deviation)
        found.append((escapes <= ceiling, overkill, asks, asks > ask))
    means = np.mean(found, axis=0).tolist() if found else [0.0] * 4
    return len(found) / repeats, *means


CASES = [
    (Lots(count, parts, spread, networks=networks), ceiling, ask)
    for ceiling in (0.1, 0.03)
    for count, parts in ((10, 80), (14, 57), (20, 40))
    for spread in (0.3, 0.6)
    for networks in (9, 63)
    for ask in (0.03, 0.1)
]


def main(repeats: int) -> None:
    """Prints a table for the README."""
    figures = "picked, % | kept, % | overkill, % | asked, % | more asked, %"
    print(f"| lots | defects each | spread | networks | ceiling, % | ask_rate, % | {figures} |")
    print(f"|{'--:|' * 11}")
    for lots, ceiling, ask in CASES:
        shares = " | ".join(map(percent, kept(lots, ceiling, ask, repeats)))
        case = f"| {lots.count} | {lots.parts} | {lots.spread} | {lots.networks}"
        print(f"{case} | {percent(ceiling)} | {percent(ask)} | {shares} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
