"""Candidates as `picks.json` has them."""

from statistics import fmean

from gaikan.config.stages import Stage
from gaikan.run_folder import picks_file
from gaikan.run_folder.latency_rows import runtime_of
from gaikan.selection.bundles import BUNDLES
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.promise import networks_of, values_on_test
from gaikan.selection.reasons import limit_of


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
        mean_over_seeds=_over_seeds(judging, candidate.variant, stage),
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
    )


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


def _over_seeds(judging: Judging, variant: str, stage: Stage) -> picks_file.SeedMean | None:
    """Means over a variant's networks, each with its own threshold; None where none holds."""
    judging = judging.calibration
    judged = [judging.judged(network, stage) for network in networks_of(judging, variant)]
    holding = [network for network in judged if network.holds]
    if not holding:
        return None
    return picks_file.SeedMean(
        seeds=len(holding),
        validation=_mean([judging.on_validation(network) for network in holding]),
        test=_mean([judging.on_test(network) for network in holding]),
    )


def _mean(sides: list[picks_file.Quality]) -> picks_file.Quality:
    """Means figure by figure; None where a figure is missing of one."""
    columns = {
        name: [getattr(side, name) for side in sides] for name in picks_file.Quality.model_fields
    }
    means = {name: None if None in values else fmean(values) for name, values in columns.items()}
    return picks_file.Quality.model_validate(means)
