"""Thresholds between good and defective, and the best one at which an escape ceiling holds.

A part is called good when its ok margin exceeds the threshold. The strictest threshold lets
through no defective validation part; lower ones let through more and reject fewer good ones.
Thresholds are tested from the strictest down, each by an upper bound of the escape rate, and
testing stops at the first whose bound exceeds the ceiling: fixed-sequence testing (Angelopoulos
et al., 2021, "Learn then Test", section 2.3). A network's true escape rate rises as its threshold
falls, so the first threshold that breaks the ceiling is one fixed place in the sequence, and only
a wrong test there can do harm, whatever is chosen among those that passed. Over the C networks of
a run Bonferroni's correction makes that harm at most 1 - `LEVEL` together: each network is tested
at 1 - (1 - `LEVEL`) / C, so that any of them may be picked afterwards. One that was chosen on other
lots (`selection.lots`) is tested alone, at `LEVEL`.

For independent parts the bound is exact (with k escapes of n at a threshold that is itself a
margin of a part it is a tolerance limit: Wilks, 1941). By lot it is widened by how much they
differ, as `bounds.upper_bounds_over_groups` says: roughly; `bench/README.md` has how often the
ceiling is kept on new lots. Where there are too few lots (`selection.lots`), parts count as
independent, and nothing is promised for new lots.

A defective part that a person is asked about escapes at no threshold: it is called good at some,
and then asked. What is asked is fixed beforehand by good parts (`handed_over`).

A threshold below the natural border, which the nearest anchor draws, lets through more to reject
fewer good parts. Only a stage that asks for that gets one: whose objective is overkill or cost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.evaluation.bounds import Lots
from gaikan.evaluation.mean_squares import Floats, Units
from gaikan.evaluation.statistics import LEVEL, exact_high
from gaikan.run_folder.decisions import DecidedParts


def level_each(networks: int) -> float:
    """The level of each network's bounds, so that all together hold at `LEVEL`."""
    return 1 - (1 - LEVEL) / networks


@dataclass(frozen=True)
class Border:
    """A threshold, and whether every ceiling held at it."""

    threshold: float | None  # None: the natural border, which the nearest anchor draws
    holds: bool
    bound: float  # upper bound of the escape rate at the threshold


@dataclass(frozen=True, eq=False)
class Borders:
    """The T thresholds of one network, strictest first, and the rates at each.

    Each is the ok margin of a defective validation part, which it still rejects. That at `natural`
    rejects the defective parts that the natural border rejects; T where none of them does.
    """

    thresholds: Floats  # (T,)
    escape_rates: Floats  # (T,) of validation parts
    bounds: Floats  # (T,) upper bounds of the escape rate
    overkill_rates: Floats  # (T,); 0 without good parts
    good: Floats  # (G,) ok margins of good parts, ascending
    natural: int  # index of a threshold

    @classmethod
    def of(
        cls,
        part: DecidedParts,
        ok: int,
        level: float,
        lots: int | None,
        most: float = 1.0,
        ask_level: float | None = None,
    ) -> "Borders | None":
        """The thresholds with an escape rate of at most `most`; None without a defective part.

        The bounds are those for new lots that so many `lots` like the part's own would show, or
        where it is None count parts as independent. Parts whose novelty p-value is at most
        `ask_level` are asked about.
        """
        assert part.ok_margin is not None
        defective = part.label != ok
        margins, good = part.ok_margin[defective], np.sort(part.ok_margin[~defective])
        if not len(margins):
            return None
        can_escape = np.ones(len(margins), bool)
        if ask_level is not None:
            can_escape = part.novelty_p[defective] > ask_level
        thresholds, threshold_of = np.unique(-margins, return_inverse=True)  # strictest first
        thresholds = -thresholds
        stricter = np.bincount(threshold_of, weights=can_escape).cumsum()
        escapes = np.concatenate([[0], stricter[:-1]])
        kept = escapes <= most * len(margins)
        thresholds, escapes = thresholds[kept], escapes[kept]
        bounds = exact_high(escapes, len(margins), level)
        if lots is not None:
            assert part.group is not None
            own = np.where(can_escape, threshold_of, len(thresholds))  # asked: escapes at none
            seen = _by_lot(own, part.group[defective], len(thresholds))
            more = Lots.of(seen).times(lots)
            bounds = more.bounds(escapes / len(margins) * more.parts, level)
        overkill = np.searchsorted(good, thresholds, side="right") / max(1, len(good))
        natural = len(np.unique(margins[part.predicted[defective] == ok]))
        return cls(thresholds, escapes / len(margins), bounds, overkill, good, natural)

    def fit(self, ceilings: dict[str, float], weights: tuple[float, float] | None = None) -> Border:
        """The best of the thresholds that hold; the strictest, marked, where none does.

        `ceilings` limit `escape_rate` (as seen) and `escape_bound`. Best is the least of
        `weights` times escape and overkill rate, of equal ones the strictest. Without weights it
        is the natural border where that holds, else the least overkill. The threshold is
        halfway from there to the next good margin, so that no part lies on it.
        """
        within = np.ones(len(self.thresholds), bool)
        for name, limit in ceilings.items():
            within &= (self.bounds if name == "escape_bound" else self.escape_rates) <= limit
        passed = len(within) if within.all() else int(within.argmin())
        if weights is None and self.natural < max(1, passed):
            return Border(None, passed > 0, float(self.bounds[self.natural]))
        weights = weights or (0.0, 1.0)
        price = weights[0] * self.escape_rates + weights[1] * self.overkill_rates
        best = int(price[: max(1, passed)].argmin())
        threshold = float(self.thresholds[best])
        above = self.good[np.searchsorted(self.good, threshold, side="right") :]
        if len(above):
            threshold = (threshold + float(above[0])) / 2
        return Border(threshold, passed > 0, float(self.bounds[best]))


def _by_lot(threshold_of: NDArray[np.intp], group: NDArray[np.int64], n_thresholds: int) -> Units:
    """Escapes at T thresholds; `threshold_of` (n,) is the index of each defective part's own."""
    groups, code = np.unique(group, return_inverse=True)
    counts = np.zeros((n_thresholds, len(groups)))
    later = threshold_of + 1  # a part escapes at every threshold below its own margin
    inside = later < n_thresholds
    np.add.at(counts, (later[inside], code[inside]), 1)
    return Units.of_events(counts.cumsum(0), np.bincount(code).astype(np.float64))
