"""Candidates as `picks.json` has them."""

import numpy as np

from gaikan.config.stages import Stage
from gaikan.run_folder import picks_file
from gaikan.run_folder.latency_rows import runtime_of
from gaikan.selection.bundles import BUNDLES
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.handed_over import asked
from gaikan.selection.promise import values_on_test
from gaikan.selection.quality import decide
from gaikan.selection.reasons import limit_of
from gaikan.selection.unseen_modes import unseen_modes


def picked(judging: Judging, candidate: Candidate, stage: Stage) -> picks_file.PickedCandidate:
    """A candidate with all its figures, calibrated where lots are set apart for that."""
    candidate = judging.calibrated(candidate, stage)
    row = candidate.row
    return picks_file.PickedCandidate(
        **dict(_setting(candidate)),
        batch_size=stage.batch_size,
        bundle=BUNDLES.get(runtime_of(row)),
        timing=picks_file.PickTiming.model_validate(row, from_attributes=True),
        validation=judging.on_validation(candidate.judged),
        test=judging.on_test(candidate.judged),
        unseen=_unseen(judging, candidate),
        checks=_checks(judging, candidate, stage),
    )


def weighed(candidate: Candidate) -> picks_file.WeighedCandidate:
    """A candidate with its value of each constraint; built unchecked, as there are thousands."""
    return picks_file.WeighedCandidate.model_construct(
        **dict(_setting(candidate)),
        qualifies=not candidate.failed,
        values=candidate.values,
        failed=list(candidate.failed),
        accuracy=candidate.judged.quality.accuracy,
    )


def _setting(candidate: Candidate) -> picks_file.PlacedNetwork:
    row = candidate.row
    return picks_file.PlacedNetwork.model_construct(
        variant=candidate.variant,
        seed=candidate.seed,
        machine=row.machine,
        device=row.device,
        runtime=row.runtime,
        precision=row.precision,
        threads=row.threads,
        threshold=candidate.judged.threshold,
        ask_level=candidate.judged.ask_level,
    )


def _unseen(judging: Judging, candidate: Candidate) -> list[picks_file.UnseenMode]:
    judged, ok = candidate.judged, judging.run.ok
    if ok is None:
        return []
    sides: tuple[picks_file.Side, ...] = ("validation", "test")
    return [
        mode for side in sides for mode in unseen_modes(judged.network, ok, judged.setting, side)
    ]


def _checks(
    judging: Judging, candidate: Candidate, stage: Stage
) -> list[picks_file.CheckedConstraint]:
    tested = values_on_test(judging, candidate, stage)
    limits = [limit_of(stage, name) for name in candidate.values]
    return [
        picks_file.CheckedConstraint(
            constraint=limit.name,
            value=candidate.values[limit.name],
            min=limit.min,
            max=limit.max,
            names=limit.names,
            passed=limit.name not in candidate.failed,
            test=tested.get(limit.name),
        )
        for limit in limits
    ]


def judged(judging: Judging, candidate: Candidate) -> list[picks_file.Judged]:
    """The test parts by class and by what the candidate calls them, with its threshold."""
    part, classes = candidate.judged.network.test, judging.run.classes
    ok = judging.run.ok
    called = decide(part, ok, candidate.judged.threshold)
    marks = asked(part, called, ok, candidate.judged.ask_level)
    cell = part.label * len(classes) + called
    counts = np.bincount(cell, minlength=len(classes) ** 2)
    asks = np.bincount(cell[marks], minlength=len(classes) ** 2)
    return [
        picks_file.Judged(
            actual=classes[pair // len(classes)],
            called=classes[pair % len(classes)],
            parts=int(counts[pair]),
            asked=int(asks[pair]),
        )
        for pair in np.flatnonzero(counts).tolist()
    ]
