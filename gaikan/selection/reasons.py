"""Why a candidate was picked, which constraints bind, and which to loosen if none qualifies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from gaikan.config.stages import CEILINGS, Stage
from gaikan.language.words import Words, placed, plain, say
from gaikan.run_folder.latency_rows import runtime_of
from gaikan.run_folder.picks_file import StageConstraint, Value
from gaikan.selection.bundles import BASE, BUNDLES, installing
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import StageChoice, as_fast, choose, pick
from gaikan.selection.constraint_words import called, limited, measured_value, worded
from gaikan.selection.offers import is_no_limit
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
    why: Words


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


def merit(stage: Stage, candidate: Candidate) -> Words:
    """The objective's name and figure in words, such as `accuracy 95.1 %`."""
    name = called(OBJECTIVES[stage.objective])
    return say("figure_of", name=name, value=worth(stage, candidate))


def worth(stage: Stage, candidate: Candidate) -> Words:
    """The objective's figure in words."""
    name = OBJECTIVES[stage.objective]
    value = candidate.row.p50_ms if name == "p50_ms" else candidate.judged.values[name]
    return measured_value(name, value)


def place(candidate: Candidate) -> Words:
    """Runtime and threads of a candidate in words."""
    return placed(runtime_of(candidate.row), candidate.row.threads)


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


def beyond_base(
    judging: Judging, ties: Ties, stage: Stage, chosen: Candidate | None
) -> Words | None:
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
    other = say("variant_in", variant=best.variant, place=place(best))
    if chosen is None:
        gain = say("beyond_would_qualify", variant=other, merit=merit(stage, best))
    else:
        other = place(best) if best.variant == chosen.variant else other
        gain = say("beyond_gain", other=other, change=_change(stage, best, chosen))
    ask = f'runtimes = ["{label}"]'
    return say("beyond", base=BASE, gain=gain, installing=installing(label), ask=ask)


def _binding(
    stage: Stage, names: tuple[str, ...], instead: Candidate, chosen: Candidate
) -> Binding:
    limits = tuple(limited(limit_of(stage, name)) for name in names)
    other = place(instead) if instead.variant == chosen.variant else plain(instead.variant)
    change = _change(stage, instead, chosen)
    key = "binds_together" if len(names) > 1 else "binds"
    return Binding(names, instead, say(key, limits=limits, other=other, change=change))


def _change(stage: Stage, instead: Candidate, chosen: Candidate) -> Words:
    """How the objective's figure changes; where it is no better, also what else is better."""
    own, was = merit(stage, instead), worth(stage, chosen)
    reads_the_same = worth(stage, instead) == was
    change = say("change_same" if reads_the_same else "change", own=own, was=was)
    if instead.merit > chosen.merit:
        return say("change_ahead", own=own) if reads_the_same else change
    for name in ("p50_ms", "model_bytes"):
        after, before = (getattr(c.row, name) or 0 for c in (instead, chosen))
        if after < before:
            sizes = {"after": worded(name, after), "before": worded(name, before)}
            return say("change_and", change=change, name=called(name), **sizes)
    return change


def _same(one: Candidate, other: Candidate) -> bool:
    return one.variant == other.variant and one.row is other.row


def nearest_miss(candidates: Sequence[Candidate], stage: Stage) -> Candidate | None:
    """Of candidates that all fail, the one that fails the fewest constraints by the least.

    One that no sensible limit would let in comes after all others.
    """

    def distance(candidate: Candidate) -> tuple[bool, float, float, float, str, int]:
        limits = [limit_of(stage, name) for name in candidate.failed]
        hopeless = any(is_no_limit(limit, candidate) for limit in limits)
        names = candidate.variant, candidate.seed
        return hopeless, *shortfall(limits, candidate.values), -candidate.merit, *names

    return min(candidates, key=distance, default=None)


def shortfall(missed: Sequence[StageConstraint], values: Mapping[str, Value]) -> tuple[int, float]:
    """How many limits are missed, and by how much together."""
    return len(missed), sum(_gap(limit, values[limit.name]) for limit in missed)


def _gap(limit: StageConstraint, value: Value) -> float:
    """How far off, relative to the limit; a name that is not allowed counts as twice the limit."""
    if limit.names is not None:
        return 1.0
    if value is None or isinstance(value, str):
        return _FAR
    if limit.max is not None and value > limit.max:
        return value / limit.max - 1 if limit.max else _FAR
    return 1 - value / limit.min if limit.min else _FAR


def why_picked(choice: StageChoice, stage: Stage) -> Words:
    """One sentence on why the pick was preferred to the others that qualify."""
    assert choice.pick is not None
    assert choice.best is not None
    variants = {candidate.variant for candidate in (*choice.tied, *choice.rest)}
    others = {candidate.variant for candidate in choice.tied} - {choice.pick.variant}
    own = merit(stage, choice.pick)
    if choice.pick.variant == choice.best.variant:
        if len(variants) == 1:
            return say("why_only", own=own)
        key = "why_best_tied" if others else "why_best"
        return say(key, n=len(variants), own=own, others=tuple(sorted(others)))
    preferred = _preferred(choice, choice.best)
    rival, merits = choice.best.variant, merit(stage, choice.best)
    return say("why_preferred", own=own, best=rival, merit=merits, preferred=preferred)


def why_not(other: Candidate, choice: StageChoice, stage: Stage) -> Words:
    """One sentence on a variant that qualifies and was not picked."""
    assert choice.pick is not None
    own = merit(stage, other)
    if other in choice.rest:
        return say("why_not_worse", own=own)
    preferred = _preferred(choice, other)
    return say("why_not_tied", own=own, pick=choice.pick.variant, preferred=preferred)


def _preferred(choice: StageChoice, other: Candidate) -> Words:
    """What the pick is preferred for to another that may be as good as the best."""
    pick = choice.pick
    assert pick is not None
    assert choice.fastest is not None
    if not as_fast(other, choice.fastest):
        # Where its interval is wide, the pick's own p50 may be no less.
        if (pick.row.p50_ms or 0.0) >= (other.row.p50_ms or 0.0):
            return say("preferred_as_fastest", fastest=choice.fastest.variant)
        own, theirs = (measured_value("p50_ms", c.row.p50_ms) for c in (pick, other))
        return say("preferred_faster", own=own, other=theirs)
    if pick.size != other.size:
        own, theirs = (measured_value("model_bytes", c.row.model_bytes) for c in (pick, other))
        return say("preferred_smaller", own=own, other=theirs)
    return say("preferred_ahead")
