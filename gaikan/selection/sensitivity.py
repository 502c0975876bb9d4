"""How a stage's pick changes with its latency budget and its escape ceiling."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gaikan.config.stages import Range, Share, Stage
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import best_seeds, pick
from gaikan.selection.ties import Ties

FACTORS = (0.25, 0.5, 1, 2)  # of the stage's own escape ceiling
MOST_BUDGETS = 12
_LATENCIES = ("p99_ms", "p90_ms", "p50_ms")


@dataclass(frozen=True)
class Step:
    """A span of budgets over which the pick stays the same; `above` is None at the last."""

    ceiling: float | None
    from_ms: float
    to_ms: float | None
    pick: Candidate | None


@dataclass(frozen=True)
class Sensitivity:
    """Picks by ceiling (rows) and latency budget (columns); all else is as the stage says."""

    latency: str  # the constraint that varies
    ceiling: str | None  # the constraint that varies; None: the stage has none
    budgets: tuple[float, ...]  # ms, ascending
    ceilings: tuple[float | None, ...]  # ascending
    picks: tuple[tuple[Candidate | None, ...], ...]

    def steps(self) -> Iterator[Step]:
        """Spans of equal picks, ceiling by ceiling."""
        for ceiling, row in zip(self.ceilings, self.picks, strict=True):
            spans = [
                list(span) for _, span in groupby(range(len(row)), key=lambda i: _what(row[i]))
            ]
            for span in spans:
                after = span[-1] + 1
                to = self.budgets[after] if after < len(row) else None
                yield Step(ceiling, self.budgets[span[0]], to, row[span[0]])


def _what(candidate: Candidate | None) -> object:
    return candidate and (candidate.variant, id(candidate.row))


def varied(stage: Stage) -> tuple[str, str | None]:
    """The latency and the escape constraint that are varied."""
    limited = [n for n in _LATENCIES if n in stage.limits and stage.limits[n].max is not None]
    ceilings = list(stage.ceilings)
    return limited[0] if limited else "p50_ms", ceilings[-1] if ceilings else None


def sensitivity(judging: Judging, ties: Ties, stage: Stage) -> Sensitivity:
    """Picks over a grid of budgets and ceilings, the stage's own among them."""
    latency, ceiling = varied(stage)
    ceilings: list[float | None] = [None]
    if ceiling is not None:
        own_ceiling = stage.ceilings[ceiling]
        ceilings = [min(1.0, factor * own_ceiling) for factor in FACTORS]
        ceilings = list(dict.fromkeys(ceilings))
    free = stage.model_copy(update={latency: None})
    by_ceiling = []
    for limit in ceilings:
        update = {} if ceiling is None else {ceiling: Share(max=limit)}
        own = free.model_copy(update=update)
        fitting = judging.candidates(own, fitting=True)
        qualify = [each for each in fitting if not each.failed]
        by_ceiling.append((own, best_seeds(qualify)))
    own_limit = getattr(stage, latency)
    budgets = _budgets([c for _, some in by_ceiling for c in some], latency, own_limit)
    picks = [
        tuple(
            pick([c for c in some if _takes(c, latency) <= budget], own, ties).pick
            for budget in budgets
        )
        for own, some in by_ceiling
    ]
    return Sensitivity(latency, ceiling, tuple(budgets), tuple(ceilings), tuple(picks))


def _takes(candidate: Candidate, latency: str) -> float:
    value: float | None = getattr(candidate.row, latency)
    return math.inf if value is None else value


def _budgets(candidates: Sequence[Candidate], latency: str, own: Range | None) -> list[float]:
    """Latencies at which something new fits, rounded up to two digits, and the stage's own."""
    found = {_up(_takes(each, latency)) for each in candidates} - {math.inf}
    ordered = sorted(found)
    if len(ordered) > MOST_BUDGETS:
        places = {round(i * (len(ordered) - 1) / (MOST_BUDGETS - 1)) for i in range(MOST_BUDGETS)}
        ordered = [ordered[i] for i in sorted(places)]
    if own is not None and own.max is not None:
        ordered = sorted({*ordered, own.max})
    return ordered or [1.0]


def _up(milliseconds: float) -> float:
    if not 0 < milliseconds < math.inf:
        return milliseconds
    digit = math.floor(math.log10(milliseconds)) - 1
    # by division: 3 / 100 is 0.03, 3 * 0.01 is not
    steps = math.ceil(milliseconds / 10.0**digit)
    return steps / 10.0**-digit if digit < 0 else steps * 10.0**digit
