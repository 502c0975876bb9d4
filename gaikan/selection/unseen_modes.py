"""What becomes of failure modes that training has not seen, at a network's border and level.

The network that is installed has seen them all. What would have become of a mode is told by the
network that was trained without it, whose border and level are its own. They are set by the good
validation parts alone: its border rejects as many of them as the installed network's does; where
that is none it is no stricter than the natural one, and it is laxer only where the installed one
is. Its level has as many of them at or below it. Where the installed network keeps its natural
border, so does the other.

The parts of some modes are no sample of the defects to come: nothing is promised.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.evaluation.bounds import upper_bound_over_groups
from gaikan.run_folder.decisions import Codes, DecidedParts, NetworkDecisions
from gaikan.run_folder.picks_file import Side, UnseenMode
from gaikan.run_folder.unseen_file import LeftOutMode, ScoredParts
from gaikan.selection.handed_over import level_of

Marks = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BorderAndLevel:
    """How a network is installed."""

    threshold: float | None  # on the ok margin; None: the nearest anchor decides
    ask_level: float | None  # of the novelty p-value; None: nothing is asked


@dataclass(frozen=True, eq=False)
class _Seen:
    """Parts (P,) of a left-out mode: which of them are called good, which of these are asked."""

    mode: str
    called_good: Marks
    asked: Marks
    group: Codes | None

    @property
    def escaped(self) -> Marks:
        """Called good, and nobody asked."""
        return self.called_good & ~self.asked


@dataclass(frozen=True)
class JudgedModes:
    """The left-out modes that all networks of a run are judged on, whatever their seeds.

    The worst of fewer would look better: the seed whose split lacks the hardest would be installed.
    """

    known: frozenset[str]  # that some network was trained without; one that lacks any has no figure
    judged: frozenset[str]  # those whose parts decide here; a network that lacks one has no figure

    @classmethod
    def of(cls, networks: Sequence[NetworkDecisions], choosing: bool) -> "JudgedModes":
        """Those of which a network has validation parts.

        In the few lots that are `choosing`, those that every network has there: what is chosen has
        to keep the limit on the modes of the other lots.
        """
        known = frozenset(mode.mode for network in networks for mode in network.left_out)
        whole = [network for network in networks if known == _names(network)]
        here = [*map(_at_hand, whole)] or [frozenset()]
        judged = frozenset.intersection(*here) if choosing else frozenset.union(*here)
        return cls(known, judged)


def _names(network: NetworkDecisions) -> frozenset[str]:
    return frozenset(left_out.mode for left_out in network.left_out)


def _at_hand(network: NetworkDecisions) -> frozenset[str]:
    """The modes of which it has validation parts in the lots at hand."""
    sample = network.validation.sample
    own = (each for each in network.left_out if np.isin(each.validation.sample, sample).any())
    return frozenset(left_out.mode for left_out in own)


def worst_share(
    network: NetworkDecisions, ok: int, setting: BorderAndLevel, split: Side, modes: JudgedModes
) -> float | None:
    """The share of the left-out mode that escapes most; None where not all were measured."""
    if modes.known != _names(network):
        return None
    seen = _seen(network, ok, setting, split)
    shares = {each.mode: float(each.escaped.mean()) for each in seen if each.mode in modes.judged}
    return max(shares.values(), default=None) if shares.keys() == modes.judged else None


def unseen_modes(
    network: NetworkDecisions, ok: int, setting: BorderAndLevel, split: Side
) -> list[UnseenMode]:
    """Each left-out mode that the network's `split` has parts of, that which escapes most first."""
    found = [
        UnseenMode(
            split=split,
            mode=each.mode,
            parts=len(each.escaped),
            escapes=int(each.escaped.sum()),
            asks=int(each.asked.sum()),
            escape_rate=float(each.escaped.mean()),
            escape_bound=upper_bound_over_groups(each.escaped, each.group),
        )
        for each in _seen(network, ok, setting, split)
    ]
    return sorted(found, key=lambda mode: -mode.escape_rate)


def _seen(
    network: NetworkDecisions, ok: int, setting: BorderAndLevel, split: Side
) -> Iterator[_Seen]:
    part: DecidedParts = getattr(network, split)
    for left_out in network.left_out:
        own: ScoredParts = getattr(left_out, split)
        rows = np.isin(own.sample, part.sample)
        if not rows.any():
            continue
        called_good, new = _decided(own, left_out, network.validation, ok, setting)
        group = None
        if part.group is not None:
            group = part.group[np.searchsorted(part.sample, own.sample[rows])]
        yield _Seen(left_out.mode, called_good[rows], (called_good & new)[rows], group)


def _decided(
    parts: ScoredParts, left_out: LeftOutMode, own: DecidedParts, ok: int, setting: BorderAndLevel
) -> tuple[Marks, Marks]:
    """Of P parts by the network without the mode: which are called good, and which look new.

    `own` are the validation parts of the network with the mode, whose setting carries over.
    """
    good = own.label == ok
    same = np.isin(left_out.good.sample, own.sample[good])
    called_good, new = parts.called_good, np.zeros(len(parts.sample), bool)
    if setting.threshold is not None:
        assert own.ok_margin is not None
        rejected = int((own.ok_margin[good] <= setting.threshold).sum())
        border = _border(left_out.good.ok_margin[same], rejected)
        above = parts.ok_margin > border
        called_good = above & called_good if setting.threshold >= 0 else above
    if setting.ask_level is not None:
        most = int((own.novelty_p[good] <= setting.ask_level).sum())
        p = left_out.good.novelty_p[same]
        new = parts.novelty_p <= level_of(p, most / max(1, len(p)))
    return called_good, new


def _border(margins: Floats, rejected: int) -> float:
    """The laxest border that still rejects so many of the good parts with these margins (G,).

    Of equal margins all are rejected or none. Where it is to reject none, it is just below the
    lowest, or the natural border where that is laxer.
    """
    if not len(margins):
        return 0.0
    ordered = np.sort(margins)
    kept = np.searchsorted(ordered, ordered, side="right") <= rejected
    return float(ordered[kept][-1]) if kept.any() else min(0.0, np.nextafter(ordered[0], -np.inf))
