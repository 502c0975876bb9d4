"""What would have to give for the nearest miss to qualify, and where nothing sensible would.

A limit that a network which has learned nothing keeps is no limit: it is not offered.
"""

import math
from dataclasses import dataclass

from gaikan.config.stages import CEILINGS
from gaikan.language.words import Words, say
from gaikan.run_folder.picks_file import StageConstraint
from gaikan.selection.candidates import Candidate
from gaikan.selection.constraint_words import enough, loosened, missed

_REJECTS = (*CEILINGS, "overkill_rate")  # figures that the border trades for each other
_MOST_OF_ALL = (*_REJECTS, "unseen_escape", "ask_rate")  # shares that are at most 1


@dataclass(frozen=True)
class Offers:
    """One of the two is empty: looser limits, or why none would do."""

    gives: list[Words]
    hopeless: Words | None


def offers(candidate: Candidate, installed: Candidate, limits: list[StageConstraint]) -> Offers:
    """What each limit that it fails would have to be, on the lots that chose and as `installed`.

    The two are one candidate, by the lots that chose and by those that calibrate.
    """
    failed = [limit for limit in limits if limit.name in (*candidate.failed, *installed.failed)]
    gives, hopeless = [], []
    for limit in failed:
        judges = [each for each in (installed, candidate) if limit.name in each.failed]
        judge = _worst(limit, judges)
        value = judge.values[limit.name]
        if is_no_limit(limit, judge):
            hopeless.append((limit.name, missed(limit, value)))
        offer, seen = loosened(limit, value), installed.values[limit.name]
        gives.append(offer if value == seen else say("on_lots_that_chose", offer=offer))
    if not hopeless:
        return Offers(gives, None)
    by_border = any(name in _REJECTS for name, _ in hopeless)
    figures = tuple(words for _, words in hopeless)
    return Offers([], say("no_border" if by_border else "no_limit", figures=figures))


def is_no_limit(limit: StageConstraint, candidate: Candidate) -> bool:
    """Whether what it would take for the candidate to meet a limit is what any network keeps."""
    value = candidate.values[limit.name]
    if not isinstance(value, float | int) or limit.names is not None:
        return False
    needed = enough(limit, value)
    if limit.max is None or value <= limit.max:
        return needed <= _by_chance(limit.name, candidate)
    if limit.name in _REJECTS and _throws_dice(candidate):
        return True
    return limit.name in _MOST_OF_ALL and needed >= 1


def _by_chance(name: str, candidate: Candidate) -> float:
    """What calling every part the same class would reach."""
    sizes = candidate.judged.network.validation.class_sizes
    if name == "accuracy":
        return float(sizes.max() / sizes.sum())
    return 1 / len(sizes) if name == "balanced_accuracy" else 0.0


def _throws_dice(candidate: Candidate) -> bool:
    """Whether its border is no better than rejecting as many parts at random: a share of each."""
    figures = candidate.judged.values
    escape, overkill = figures["escape_rate"], figures["overkill_rate"]
    return escape is not None and overkill is not None and escape + overkill >= 1


def _worst(limit: StageConstraint, judges: list[Candidate]) -> Candidate:
    """Where it misses the limit by most; where it was not measured counts before all."""

    def short(judge: Candidate) -> float:
        value = judge.values[limit.name]
        if not isinstance(value, float | int):
            return math.inf
        above = limit.max is not None and value > limit.max
        return value if above else -value

    return max(judges, key=short)
