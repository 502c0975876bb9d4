"""The picks of a run: what to install at each stage, and why."""

from dataclasses import replace
from pathlib import Path

from gaikan.config.stages import Stage
from gaikan.language.words import say
from gaikan.run_folder import picks_file
from gaikan.run_folder.decisions import RunFiles, timing_of
from gaikan.selection import reasons
from gaikan.selection.asked import description, not_timed, stages_of
from gaikan.selection.asking_curve import asking_curve, asking_in_words, nobody_asked
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import StageChoice, pick
from gaikan.selection.offers import offers
from gaikan.selection.picked_candidates import judged, picked, weighed
from gaikan.selection.promise import contradicted, promise, warnings
from gaikan.selection.sensitivity import FACTORS, sensitivity
from gaikan.selection.ties import Ties

RUNNERS_UP = 3


def judged_run(out: Path, file: Path | None) -> tuple[Judging, dict[str, Stage]]:
    """A run folder's networks, and the stages to pick for: those of `file`, or of the run.

    Raises ConfigError and DataError in one line.
    """
    run = RunFiles.read(out)
    stages, factory = stages_of(run, file)
    ceilings = [limit for stage in stages.values() for limit in stage.ceilings.values()]
    return Judging(run, factory, max(FACTORS) * max(ceilings, default=0.0)), stages


def make_picks(judging: Judging, stages: dict[str, Stage]) -> picks_file.PicksFile:
    """What is picked at each stage."""
    run, ties, even = judging.run, Ties(judging), Ties(judging.at_even_odds())
    chosen_by = {name: choosing(ties, even, stage) for name, stage in stages.items()}
    return picks_file.PicksFile(
        format=1,
        timing=timing_of(run.out),
        ok=None if run.ok is None else run.classes[run.ok],
        stages={name: _stage_picks(by, stages[name]) for name, by in chosen_by.items()},
    )


def choosing(ties: Ties, even: Ties, stage: Stage) -> Ties:
    """Of two ways to choose the one to use: `even` odds, where the other leaves nothing.

    Only lots that choose have a say in this, so that the promise of the others stands.
    """
    judging = ties.judging
    if judging.calibration is judging or pick(judging.candidates(stage), stage, ties).pick:
        return ties
    return even


def _stage_picks(ties: Ties, stage: Stage) -> picks_file.StagePicks:
    judging = ties.judging
    candidates = judging.candidates(stage)
    choice = pick(candidates, stage, ties)
    chosen, unknown = choice.pick, not_timed(stage, candidates)
    why = unknown or say("nothing_meets")
    bound, to_miss = [], candidates
    if chosen is not None:
        calibrated = judging.calibrated(chosen, stage)
        if calibrated.failed:
            why = say("fails_on_calibration", variant=chosen.variant, lots=judging.lots)
            to_miss, chosen, choice = [calibrated], None, replace(choice, pick=None)
    if chosen is not None:
        why = reasons.why_picked(choice, stage)
        if calibrated is not chosen:
            why = say("why_of_other_lots", why=why, lots=judging.lots)
        bound = reasons.binding(judging, ties, stage, candidates, chosen)
    shown = chosen or (None if unknown else reasons.nearest_miss(to_miss, stage))
    installed = None if shown is None else judging.calibrated(shown, stage).judged
    silent = None if installed is None else nobody_asked(installed, stage, judging.run.ok)
    return picks_file.StagePicks(
        description=description(stage),
        objective=stage.objective,
        constraints=[reasons.limit_of(stage, name) for name in (*stage.allowed, *stage.limits)],
        pick=None if chosen is None else picked(judging, chosen, stage),
        why=why,
        judged=[] if chosen is None else judged(judging, calibrated),
        contradicted=None if chosen is None else contradicted(judging, calibrated, stage),
        warnings=[
            *([] if silent is None else [silent]),
            *([] if chosen is None else warnings(judging, calibrated, stage)),
        ],
        binding=[
            picks_file.BindingConstraints(
                constraints=[*b.constraints], instead=b.instead.variant, why=b.why
            )
            for b in bound
        ],
        runners_up=_runners_up(judging, choice, stage),
        nearest_miss=None if chosen or unknown else _nearest_miss(judging, to_miss, stage),
        beyond=reasons.beyond_base(judging, ties, stage, chosen),
        promise=None if chosen is None else promise(judging, stage),
        asking=None if unknown else asking_in_words(judging, ties, stage, chosen),
        asking_curve=[]
        if shown is None
        else asking_curve(judging, judging.calibrated(shown, stage), stage),
        sensitivity=sensitivity(judging, ties, stage),
        candidates=[weighed(candidate) for candidate in _best_first(candidates, choice)],
    )


def _runners_up(judging: Judging, choice: StageChoice, stage: Stage) -> list[picks_file.RunnerUp]:
    if choice.pick is None:
        return []
    first: dict[str, Candidate] = {}
    for candidate in (*choice.tied, *choice.rest):
        first.setdefault(candidate.variant, candidate)
    del first[choice.pick.variant]
    return [
        picks_file.RunnerUp(
            **dict(picked(judging, other, stage)), why=reasons.why_not(other, choice, stage)
        )
        for other in list(first.values())[:RUNNERS_UP]
    ]


def _nearest_miss(
    judging: Judging, candidates: list[Candidate], stage: Stage
) -> picks_file.NearestMiss | None:
    miss = reasons.nearest_miss(candidates, stage)
    if miss is None:
        return None
    limits = [reasons.limit_of(stage, name) for name in miss.values]
    found = offers(miss, judging.calibrated(miss, stage), limits)
    return picks_file.NearestMiss(
        **dict(picked(judging, miss, stage)),
        would_have_to_give=found.gives,
        hopeless=found.hopeless,
    )


def _best_first(candidates: list[Candidate], choice: StageChoice) -> list[Candidate]:
    """Those that qualify in the order of preference, then those that fail least."""
    least_failed = sorted(candidates, key=lambda c: (len(c.failed), -c.merit))
    return list(dict.fromkeys((*choice.tied, *choice.rest, *least_failed)))
