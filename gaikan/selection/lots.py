"""Whether the lots of validation can speak for new ones, and which of few lots choose.

Bonferroni's correction over all networks leaves few lots nothing to say. Of `ENOUGH` lots and a
few more, two choose the variant; the others, which had no part in the choice, then calibrate the
one that was chosen at the full level. More lots do both.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gaikan.run_folder.decisions import Codes, DecidedParts, NetworkDecisions, RunFiles

ENOUGH = 6  # fewer promise nothing for new lots
CHOOSE_TOO = 10  # so many choose and calibrate at once
_CHOOSING = 2


def fewest_lots(run: RunFiles) -> int | None:
    """Validation lots that have defective parts, of the seed with the fewest.

    None where nothing says what a lot is, or no class means good.
    """
    parts = [network.validation for network in run.networks]
    if run.ok is None or any(part.group is None for part in parts):
        return None
    return min(len(np.unique(_of_defects(part, run.ok))) for part in parts)


def divided(run: RunFiles) -> tuple[RunFiles, RunFiles]:
    """The run with the lots of validation that choose, and with those that calibrate."""
    choosing, calibrating = [], []
    for network in run.networks:
        chosen = _choosing(network.validation, run.ok)
        choosing.append(_with(network, np.flatnonzero(chosen)))
        calibrating.append(_with(network, np.flatnonzero(~chosen)))
    return replace(run, networks=tuple(choosing)), replace(run, networks=tuple(calibrating))


def _with(network: NetworkDecisions, rows: Codes) -> NetworkDecisions:
    return replace(network, validation=network.validation.at(rows))


def _of_defects(part: DecidedParts, ok: int | None) -> Codes:
    assert part.group is not None
    lots: Codes = part.group[part.label != ok]
    return lots


def _choosing(part: DecidedParts, ok: int | None) -> NDArray[np.bool_]:
    """Marks (N,) of the parts in two lots, which hold most nearly their share of each class.

    What networks made of the parts has no say in it.
    """
    assert part.group is not None
    lots, lot = np.unique(part.group, return_inverse=True)
    with_defects = np.unique(lot[part.label != ok]).tolist()
    table = np.zeros((len(lots), int(part.label.max()) + 1))
    np.add.at(table, (lot, part.label), 1)
    table = table[:, table.any(0)]
    goal = table.sum(0) * _CHOOSING / len(with_defects)

    def gap(pair: tuple[int, ...]) -> float:
        return float((np.abs(table[[*pair]].sum(0) - goal) / goal).sum())

    return np.isin(lot, min(combinations(with_defects, _CHOOSING), key=gap))
