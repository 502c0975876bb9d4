"""How a stage's pick changes with its latency budget and its escape ceiling."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gaikan.config.stages import Range, Share, Stage
from gaikan.run_folder.picks_file import PickSensitivity, PickStep
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import best_seeds, pick
from gaikan.selection.ties import Ties

FACTORS = (0.25, 0.5, 1, 2)  # of the stage's own escape ceiling
MOST_BUDGETS = 12
_LATENCIES = ("p99_ms", "p90_ms", "p50_ms")


def varied(stage: Stage) -> tuple[str, str | None]:
    """The latency constraint and the escape constraint (or None) that are varied."""
    limited = [n for n in _LATENCIES if n in stage.limits and stage.limits[n].max is not None]
    ceilings = list(stage.ceilings)
    return limited[0] if limited else "p50_ms", ceilings[-1] if ceilings else None


def sensitivity(judging: Judging, ties: Ties, stage: Stage) -> PickSensitivity:
    """Picks over a grid of budgets and ceilings; the stage's own are among them."""
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
        qualify = [candidate for candidate in fitting if not candidate.failed]
        by_ceiling.append((own, best_seeds(qualify)))
    own_limit = getattr(stage, latency)
    budgets = _budgets([c for _, candidates in by_ceiling for c in candidates], latency, own_limit)
    picks = []
    for own, candidates in by_ceiling:
        fit = [[c for c in candidates if _takes(c, latency) <= budget] for budget in budgets]
        best = [pick(within, own, ties).pick for within in fit]
        stands = {c: not judging.calibrated(c, own).failed for c in best if c is not None}
        picks.append([c if c is not None and stands[c] else None for c in best])
    rows = zip(ceilings, picks, strict=True)
    return PickSensitivity(
        latency=latency,
        escape=ceiling,
        budgets=budgets,
        ceilings=ceilings,
        picks=[[None if c is None else c.variant for c in row] for row in picks],
        steps=[step for limit, row in rows for step in _steps(limit, budgets, row)],
    )


def _steps(
    ceiling: float | None, budgets: list[float], picks: list[Candidate | None]
) -> Iterator[PickStep]:
    """Spans of budgets with the same pick."""
    settings = [c and (c.variant, id(c.row)) for c in picks]
    starts = [i for i in range(len(settings)) if i == 0 or settings[i] != settings[i - 1]]
    for start, after in pairwise([*starts, len(picks)]):
        chosen = picks[start]
        to = budgets[after] if after < len(picks) else None
        if chosen is None:
            yield PickStep(ceiling=ceiling, from_ms=budgets[start], to_ms=to)
            continue
        yield PickStep(
            ceiling=ceiling,
            from_ms=budgets[start],
            to_ms=to,
            variant=chosen.variant,
            runtime=chosen.row.runtime,
            precision=chosen.row.precision,
            threads=chosen.row.threads,
            accuracy=chosen.judged.quality.accuracy,
            escape_rate=chosen.judged.quality.escape_rate,
        )


def _takes(candidate: Candidate, latency: str) -> float:
    value: float | None = getattr(candidate.row, latency)
    return math.inf if value is None else value


def _budgets(candidates: Sequence[Candidate], latency: str, own: Range | None) -> list[float]:
    """Latencies at which something new fits, rounded up to two digits, and the stage's own."""
    latencies = {_up(_takes(candidate, latency)) for candidate in candidates} - {math.inf}
    ordered = sorted(latencies)
    if len(ordered) > MOST_BUDGETS:
        kept = {round(i * (len(ordered) - 1) / (MOST_BUDGETS - 1)) for i in range(MOST_BUDGETS)}
        ordered = [ordered[i] for i in sorted(kept)]
    if own is not None and own.max is not None:
        ordered = sorted({*ordered, own.max})
    return ordered or [1.0]


def _up(milliseconds: float) -> float:
    if not 0 < milliseconds < math.inf:
        return milliseconds
    digit = math.floor(math.log10(milliseconds)) - 1
    # By division, because 3 / 100 is 0.03 and 3 * 0.01 is not.
    steps = math.ceil(milliseconds / 10.0**digit)
    return steps / 10.0**-digit if digit < 0 else steps * 10.0**digit
