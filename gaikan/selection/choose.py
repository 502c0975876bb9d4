"""The pick: best by the objective; of those that cannot be told apart from it, the fastest.

Where their times cannot be told apart either, the smallest; then the best again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gaikan.config.stages import Stage
from gaikan.selection.candidates import Candidate
from gaikan.selection.ties import Ties

# (the best, another, the variants that qualify in order of name, stage)
TellsApart = Callable[[Candidate, Candidate, tuple[str, ...], Stage], bool]


@dataclass(frozen=True)
class StageChoice:
    """What was chosen of the candidates that qualify."""

    pick: Candidate | None
    best: Candidate | None  # by the objective alone
    tied: tuple[Candidate, ...]  # with the best, itself among them, in the order of preference
    fastest: Candidate | None  # of those tied
    rest: tuple[Candidate, ...]  # qualify but are told apart from the best, best first


def choose(candidates: Sequence[Candidate], stage: Stage, told_apart: TellsApart) -> StageChoice:
    """From candidates that all qualify.

    Of a variant's seeds the one best on validation stands for it, in each runtime.
    """
    if not candidates:
        return StageChoice(None, None, (), None, ())
    ranked = sorted(best_seeds(candidates), key=lambda candidate: candidate.rank)
    best, variants = ranked[0], tuple(sorted({each.variant for each in ranked}))
    tied: list[Candidate] = []
    rest: list[Candidate] = []
    for candidate in ranked:
        apart = candidate is not best and told_apart(best, candidate, variants, stage)
        (rest if apart else tied).append(candidate)
    tied.sort(key=lambda candidate: (*candidate.speed, *candidate.rank))
    fastest = tied[0]
    level = [candidate for candidate in tied if as_fast(candidate, fastest)]
    slower = [candidate for candidate in tied if not as_fast(candidate, fastest)]
    level.sort(key=lambda candidate: (candidate.size, *candidate.rank))
    return StageChoice(level[0], best, (*level, *slower), fastest, tuple(rest))


def as_fast(candidate: Candidate, fastest: Candidate) -> bool:
    """Whether the 95 % intervals of both p50 meet: then which is less is chance.

    A time without an interval is as it is.
    """
    own, least = candidate.row, fastest.row
    low = own.p50_ms if own.p50_low_ms is None else own.p50_low_ms
    high = least.p50_ms if least.p50_high_ms is None else least.p50_high_ms
    return (low or 0.0) <= (high or 0.0)


def best_seeds(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of each variant in each runtime, the seed that would be installed."""
    found: dict[object, Candidate] = {}
    for candidate in candidates:
        key = (candidate.variant, id(candidate.row))
        held = found.get(key)
        if held is None or candidate.rank < held.rank:
            found[key] = candidate
    return list(found.values())


def pick(candidates: Sequence[Candidate], stage: Stage, ties: Ties) -> StageChoice:
    """From all candidates of a stage."""
    return choose([c for c in candidates if not c.failed], stage, ties.told_apart)
