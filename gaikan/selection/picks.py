"""The picks of a run: for each stage what to install, and all the reasons."""

from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

from gaikan.config.stages import Stage
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.asked import not_timed, stages_of
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import StageChoice, pick
from gaikan.selection.promise import Promise, networks_of, promise, warnings
from gaikan.selection.quality import Quality
from gaikan.selection.reasons import (
    Binding,
    beyond_base,
    binding,
    nearest_miss,
    why_not,
    why_picked,
)
from gaikan.selection.sensitivity import FACTORS, Sensitivity, sensitivity
from gaikan.selection.ties import Ties

RUNNERS_UP = 3


@dataclass(frozen=True)
class SeedMean:
    """Means of a variant's figures over the seeds whose threshold holds."""

    seeds: int
    validation: Quality
    test: Quality


@dataclass(frozen=True)
class StagePick:
    """One stage's pick and everything that was weighed for it."""

    name: str
    stage: Stage
    candidates: tuple[Candidate, ...]
    choice: StageChoice
    why: str
    warnings: tuple[str, ...]
    binding: tuple[Binding, ...]
    runners_up: tuple[tuple[Candidate, str], ...]  # of other variants, with the reason
    nearest_miss: Candidate | None
    beyond: str | None  # what a runtime that the base install lacks would gain
    promise: Promise | None
    sensitivity: Sensitivity


@dataclass(frozen=True)
class Picks:
    """All stages of a run."""

    judging: Judging
    stages: tuple[StagePick, ...]


def make_picks(out: Path, file: Path | None) -> Picks:
    """From the files of a run folder. Raises ConfigError and DataError in one line."""
    run = RunFiles.read(out)
    stages, factory = stages_of(run, file)
    ceilings = [limit for stage in stages.values() for limit in stage.ceilings.values()]
    judging = Judging(run, factory, max(FACTORS) * max(ceilings, default=0.0))
    ties = Ties(judging)
    return Picks(judging, tuple(_pick(judging, ties, *each) for each in stages.items()))


def _pick(judging: Judging, ties: Ties, name: str, stage: Stage) -> StagePick:
    candidates = judging.candidates(stage)
    choice = pick(candidates, stage, ties)
    chosen, miss = choice.pick, None
    unknown = not_timed(stage, candidates)
    why = unknown or "nothing meets every constraint"
    if chosen is not None:
        why = why_picked(choice, stage)
    elif unknown is None:
        miss = nearest_miss(candidates, stage)
    return StagePick(
        name,
        stage,
        tuple(candidates),
        choice,
        why,
        () if chosen is None else tuple(warnings(judging, chosen, stage)),
        () if chosen is None else tuple(binding(judging, ties, stage, candidates, chosen)),
        tuple(_runners_up(choice, stage)),
        miss,
        beyond_base(judging, ties, stage, chosen),
        promise(judging, stage),
        sensitivity(judging, ties, stage),
    )


def _runners_up(choice: StageChoice, stage: Stage) -> list[tuple[Candidate, str]]:
    if choice.pick is None:
        return []
    first: dict[str, Candidate] = {}
    for candidate in (*choice.tied, *choice.rest):
        first.setdefault(candidate.variant, candidate)
    del first[choice.pick.variant]
    return [(each, why_not(each, choice, stage)) for each in list(first.values())[:RUNNERS_UP]]


def over_seeds(judging: Judging, variant: str, stage: Stage) -> SeedMean | None:
    """Means over a variant's networks, each with its own threshold; None where none holds."""
    sides = []
    for network in networks_of(judging, variant):
        judged = judging.judged(network, stage)
        if judged.holds:
            sides.append((judging.on_validation(judged), judging.on_test(judged)))
    if not sides:
        return None
    return SeedMean(len(sides), *(_mean(list(side)) for side in zip(*sides, strict=True)))


def _mean(each: list[Quality]) -> Quality:
    """Figure by figure; None where one is missing."""
    means = {}
    for name in [field.name for field in fields(Quality)]:
        values = [getattr(quality, name) for quality in each]
        means[name] = None if None in values else fmean(values)
    return Quality(**means)  # type: ignore[arg-type]
