"""The pick: of the candidates that may be the best by the objective, the fastest.

Of those whose times cannot be told apart either, the smallest; of equally small ones, the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gaikan.config.stages import Stage
from gaikan.selection.candidates import Candidate
from gaikan.selection.ties import Ties


@dataclass(frozen=True)
class StageChoice:
    """The pick of the candidates that qualify, and how the others stand to it."""

    pick: Candidate | None
    best: Candidate | None  # by the objective alone
    tied: tuple[Candidate, ...]  # the best and what ties with it, in the order of preference
    fastest: Candidate | None  # of `tied`
    rest: tuple[Candidate, ...]  # worse than the best, best first


def pick(candidates: Sequence[Candidate], stage: Stage, ties: Ties) -> StageChoice:
    """Chooses from all candidates of a stage, whether they qualify or not."""
    return choose([candidate for candidate in candidates if not candidate.failed], stage, ties)


def choose(candidates: Sequence[Candidate], stage: Stage, ties: Ties) -> StageChoice:
    """Chooses from candidates as if all qualified.

    In each runtime, a variant is represented by its seed that is best on validation.
    """
    if not candidates:
        return StageChoice(None, None, (), None, ())
    ranked = sorted(best_seeds(candidates), key=lambda candidate: candidate.rank)
    best, variants = ranked[0], tuple(sorted({candidate.variant for candidate in ranked}))
    tied: list[Candidate] = []
    rest: list[Candidate] = []
    for candidate in ranked:
        apart = candidate is not best and ties.told_apart(best, candidate, variants, stage)
        (rest if apart else tied).append(candidate)
    tied.sort(key=lambda candidate: (*candidate.speed, *candidate.rank))
    fastest = tied[0]
    level = [candidate for candidate in tied if as_fast(candidate, fastest)]
    slower = [candidate for candidate in tied if not as_fast(candidate, fastest)]
    level.sort(key=lambda candidate: (candidate.size, *candidate.rank))
    return StageChoice(level[0], best, (*level, *slower), fastest, tuple(rest))


def as_fast(candidate: Candidate, fastest: Candidate) -> bool:
    """Whether the 95 % intervals of both p50 meet: then chance decides which is less.

    The interval of a time that has none is the time itself.
    """
    own, least = candidate.row, fastest.row
    low = own.p50_ms if own.p50_low_ms is None else own.p50_low_ms
    high = least.p50_ms if least.p50_high_ms is None else least.p50_high_ms
    return (low or 0.0) <= (high or 0.0)


def best_seeds(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of each variant in each runtime, the seed that would be installed."""
    best: dict[object, Candidate] = {}
    for candidate in candidates:
        key = (candidate.variant, id(candidate.row))
        before = best.get(key)
        if before is None or candidate.rank < before.rank:
            best[key] = candidate
    return list(best.values())
