"""Whether the lots of validation can speak for new ones, and which of few lots choose.

Bonferroni's correction over all networks leaves few lots nothing to say. Of `ENOUGH` lots or more a
fifth, two at least, choose the variant; the others, which had no part in the choice in that seed,
then calibrate the one that was chosen at the full level. From `CHOOSE_TOO` lots on the correction
costs no more than that (`bench/README.md`), and all lots do both.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gaikan.run_folder.decisions import Codes, DecidedParts, NetworkDecisions, RunFiles

ENOUGH = 6  # fewer promise nothing for new lots
CHOOSE_TOO = 20  # so many choose and calibrate at once
_FEWEST, _SHARE = 2, 0.2  # lots that choose


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
    """Marks (N,) of the parts in lots that together hold nearly their share of each class.

    Each lot is the one that brings those before it nearest to that. Where good parts come in lots
    of their own, some of these choose, too. What networks made of the parts has no say in it.
    """
    assert part.group is not None
    lots, lot = np.unique(part.group, return_inverse=True)
    with_defects = np.unique(lot[part.label != ok])
    table = np.zeros((len(lots), int(part.label.max()) + 1))
    np.add.at(table, (lot, part.label), 1)
    table = table[:, table.any(0)]
    chosen = _nearest(table, with_defects, max(_FEWEST, round(len(with_defects) * _SHARE)))
    good_alone = np.setdiff1d(lot, with_defects)
    if len(good_alone) > 1 and not (part.label == ok)[np.isin(lot, chosen)].any():
        chosen += _nearest(table, good_alone, max(1, round(len(good_alone) * _SHARE)))
    return np.isin(lot, chosen)


def _nearest(table: NDArray[np.float64], lots: Codes, n: int) -> list[int]:
    """`n` of `lots`, rows of a table (lots, classes) of parts, that are most like all of it."""
    goal = table.sum(0) / len(lots)  # of one lot
    chosen: list[int] = []
    for count in range(1, n + 1):
        others = np.setdiff1d(lots, chosen)
        together = table[chosen].sum(0) + table[others]
        gaps = (np.abs(together - count * goal) / goal).sum(1)
        chosen.append(int(others[gaps.argmin()]))
    return chosen
