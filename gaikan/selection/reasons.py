"""Why a candidate was picked, which constraints bind, and which to loosen if none qualifies."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from gaikan.config.stages import CEILINGS, Stage
from gaikan.run_folder.latency_rows import place_in_words, runtime_of
from gaikan.run_folder.picks_file import StageConstraint, Value
from gaikan.selection.bundles import BASE, BUNDLES, installing
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import StageChoice, as_fast, choose, pick
from gaikan.selection.constraint_words import called, limited, loosened, worded
from gaikan.selection.ties import Ties

_FAR = 1e9  # how far off is what has no ratio to its limit: not measured, or a limit of 0
OBJECTIVES = {
    "accuracy": "accuracy",
    "escape": "escape_rate",
    "overkill": "overkill_rate",
    "cost": "cost",
    "latency": "p50_ms",
}


@dataclass(frozen=True)
class Binding:
    """Constraints without which something else would be picked."""

    constraints: tuple[str, ...]
    instead: Candidate
    why: str


def limit_of(stage: Stage, name: str) -> StageConstraint:
    """A constraint of a stage, as `picks.json` has it."""
    if name in stage.allowed:
        return StageConstraint(name=name, min=None, max=None, names=[*stage.allowed[name]])
    limit = stage.limits[name]
    return StageConstraint(name=name, min=limit.min, max=limit.max, names=None)


def without(stage: Stage, name: str) -> Stage:
    """The stage without one of its constraints."""
    kind = name.removeprefix("recall.")
    if kind != name:
        left = {key: limit for key, limit in stage.recall.items() if key != kind}
        return stage.model_copy(update={"recall": left})
    return stage.model_copy(update={name: None})


def merit(stage: Stage, candidate: Candidate) -> str:
    """The objective's name and figure in words, such as `accuracy 95.1 %`."""
    return f"{called(OBJECTIVES[stage.objective])} {worth(stage, candidate)}"


def worth(stage: Stage, candidate: Candidate) -> str:
    """The objective's figure in words."""
    name = OBJECTIVES[stage.objective]
    value = candidate.row.p50_ms if name == "p50_ms" else candidate.judged.values[name]
    return worded(name, value)


def place(candidate: Candidate) -> str:
    """Runtime and threads of a candidate in words."""
    return place_in_words(runtime_of(candidate.row), candidate.row.threads)


def binding(
    judging: Judging, ties: Ties, stage: Stage, candidates: Sequence[Candidate], chosen: Candidate
) -> list[Binding]:
    """Each constraint without which something else would be picked.

    If no single one is: those that together keep out the candidate that is best without any
    constraint but the escape ceilings.
    """
    names = (*stage.allowed, *stage.limits)
    bindings = []
    for name in names:
        looser = without(stage, name)
        instead = pick(judging.candidates(looser), looser, ties).pick
        if instead is None or _same(instead, chosen):
            continue
        # A ceiling also sets the threshold, so that without it less may qualify.
        if name not in CEILINGS or instead.merit > chosen.merit:
            bindings.append(_binding(stage, (name,), instead, chosen))
    if not bindings:
        free = {*names} - {*CEILINGS}
        qualify = [candidate for candidate in candidates if {*candidate.failed} <= free]
        best = choose(qualify, stage, ties).pick
        names = () if best is None else best.failed
        # Ties depend on what else there is: without these alone, another may be picked.
        without_all = reduce(without, names, stage)
        instead = pick(judging.candidates(without_all), without_all, ties).pick
        if instead is not None and not _same(instead, chosen):
            bindings.append(_binding(stage, names, instead, chosen))
    return bindings


def beyond_base(judging: Judging, ties: Ties, stage: Stage, chosen: Candidate | None) -> str | None:
    """What a runtime that the base install lacks would gain; None where nothing.

    None too where the stage names its runtimes.
    """
    if stage.runtimes is not None:
        return None
    everything = tuple(dict.fromkeys(map(runtime_of, judging.run.rows)))
    free = stage.model_copy(update={"runtimes": everything})
    best = pick(judging.candidates(free), free, ties).pick
    if best is None or (chosen is not None and _same(best, chosen)):
        return None
    label = runtime_of(best.row)
    bundle = BUNDLES.get(label)
    if bundle is not None and bundle.needs == BASE:
        return None  # ties depend on what else there is
    if chosen is None:
        gain = f"{best.variant} in {place(best)} would qualify, {merit(stage, best)}"
    else:
        same = best.variant == chosen.variant
        gain = f"{'' if same else f'{best.variant} in '}{place(best)}"
        gain += f", {_change(stage, best, chosen)}"
    ask = f'runtimes = ["{label}"]'
    return f"beyond `{BASE}`: {gain}; {installing(label)}; the stage asks for it by {ask}"


def _binding(
    stage: Stage, names: tuple[str, ...], instead: Candidate, chosen: Candidate
) -> Binding:
    limits = " and ".join(limited(limit_of(stage, name)) for name in names)
    other = place(instead) if instead.variant == chosen.variant else instead.variant
    together = " together" * (len(names) > 1)
    why = f"without {limits}{together}: {other}, {_change(stage, instead, chosen)}"
    return Binding(names, instead, why)


def _change(stage: Stage, instead: Candidate, chosen: Candidate) -> str:
    """How the objective's figure changes; where it is no better, also what else is better."""
    own, was = merit(stage, instead), worth(stage, chosen)
    reads_the_same = worth(stage, instead) == was
    words = f"{own} as well" if reads_the_same else f"{own} instead of {was}"
    if instead.merit > chosen.merit:
        return f"{words}, ahead by less than is shown" if reads_the_same else words
    for name in ("p50_ms", "model_bytes"):
        after, before = (getattr(c.row, name) or 0 for c in (instead, chosen))
        if after < before:
            words += f", {called(name)} {worded(name, after)} instead of {worded(name, before)}"
            break
    return words


def _same(one: Candidate, other: Candidate) -> bool:
    return one.variant == other.variant and one.row is other.row


def nearest_miss(candidates: Sequence[Candidate], stage: Stage) -> Candidate | None:
    """Of candidates that all fail, the one that fails the fewest constraints by the least."""

    def distance(candidate: Candidate) -> tuple[float, float, float, str, int]:
        gaps = [_gap(limit_of(stage, name), candidate.values[name]) for name in candidate.failed]
        return len(gaps), sum(gaps), -candidate.merit, candidate.variant, candidate.seed

    return min(candidates, key=distance, default=None)


def _gap(limit: StageConstraint, value: Value) -> float:
    """How far off, relative to the limit; a name that is not allowed counts as twice the limit."""
    if limit.names is not None:
        return 1.0
    if value is None or isinstance(value, str):
        return _FAR
    if limit.max is not None and value > limit.max:
        return value / limit.max - 1 if limit.max else _FAR
    return 1 - value / limit.min if limit.min else _FAR


def would_have_to_give(candidate: Candidate, stage: Stage) -> list[str]:
    """What each constraint that it fails would have to be for it to qualify."""
    return [loosened(limit_of(stage, name), candidate.values[name]) for name in candidate.failed]


def why_picked(choice: StageChoice, stage: Stage) -> str:
    """One sentence on why the pick was preferred to the others that qualify."""
    assert choice.pick is not None
    assert choice.best is not None
    variants = {candidate.variant for candidate in (*choice.tied, *choice.rest)}
    others = {candidate.variant for candidate in choice.tied} - {choice.pick.variant}
    own = merit(stage, choice.pick)
    if choice.pick.variant == choice.best.variant:
        if len(variants) == 1:
            return f"the only variant that qualifies, {own}"
        beaten = f"best of the {len(variants)} variants that qualify, {own}"
        return f"{beaten}; {_listed(others)} may be as good" if others else beaten
    rival = f"{choice.best.variant} ({merit(stage, choice.best)})"
    preferred = _preferred(choice, choice.best)
    return f"{own}: may be as good as the best, {rival}, and is {preferred}"


def why_not(other: Candidate, choice: StageChoice, stage: Stage) -> str:
    """One sentence on a variant that qualifies and was not picked."""
    assert choice.pick is not None
    own = merit(stage, other)
    if other in choice.rest:
        return f"{own}, worse than the best"
    preferred = _preferred(choice, other)
    return f"{own}, may be as good as the best, but {choice.pick.variant} is {preferred}"


def _preferred(choice: StageChoice, other: Candidate) -> str:
    """What the pick is preferred for to another that may be as good as the best."""
    pick = choice.pick
    assert pick is not None
    assert choice.fastest is not None
    if not as_fast(other, choice.fastest):
        # Where its interval is wide, the pick's own p50 may be no less.
        if (pick.row.p50_ms or 0.0) >= (other.row.p50_ms or 0.0):
            return f"as fast as the fastest, {choice.fastest.variant}"
        times = [worded("p50_ms", c.row.p50_ms) for c in (pick, other)]
        return f"faster (p50 {times[0]}, not {times[1]})"
    if pick.size != other.size:
        sizes = [worded("model_bytes", c.row.model_bytes) for c in (pick, other)]
        return f"as fast and smaller ({sizes[0]}, not {sizes[1]})"
    return "as fast and as small, and ahead"


def _listed(names: set[str]) -> str:
    ordered = sorted(names)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} and {ordered[-1]}"
