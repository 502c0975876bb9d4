"""The map of picks over budgets and ceilings."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from random_runs import judging, random_run, stages
from small_run import FAKES, write_run

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import Range, Share, Stage
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.candidates import Judging
from gaikan.selection.choose import pick
from gaikan.selection.sensitivity import sensitivity
from gaikan.selection.ties import Ties


@given(st.integers(0, 10**6), stages())
@settings(deadline=None, max_examples=25)
def test_every_cell_of_the_map_is_the_pick_at_its_limits(seed: int, stage: Stage) -> None:
    own = judging(random_run(seed))
    found = sensitivity(own, Ties(own), stage)
    for ceiling, row_ in zip(found.ceilings, found.picks, strict=True):
        for budget, variant in list(zip(found.budgets, row_, strict=True))[::3]:
            update: dict[str, Range] = {found.latency: Range(max=budget)}
            if found.escape is not None:
                update[found.escape] = Share(max=ceiling)
            there = stage.model_copy(update=update)
            chosen = pick(own.candidates(there), there, Ties(own)).pick
            spans = [s for s in found.steps if s.ceiling == ceiling and s.from_ms <= budget]
            step = max(spans, key=lambda span: span.from_ms)
            assert step.to_ms is None or budget < step.to_ms
            assert variant == step.variant == (chosen and chosen.variant)
            if chosen is not None:
                line, place = chosen.row, (step.runtime, step.precision, step.threads)
                assert place == (line.runtime, line.precision, line.threads)
    assert sum(step.to_ms is None for step in found.steps) == len(found.ceilings)


def test_a_pick_that_the_lots_that_calibrate_refuse_is_not_on_the_map(tmp_path: Path) -> None:
    """Of 12 lots; what those that choose like best may fail on the others."""
    fakes = [replace(fake, skill=skill) for fake, skill in zip(FAKES[1:3], (1.5, 2.0), strict=True)]
    run = RunFiles.read(write_run(tmp_path / "run", fakes, seeds=1, parts=400, lots=12))
    own, refused = Judging(run, FactoryConfig(), 0.32), 0
    ties = Ties(own)
    for overkill in (0.02, 0.05, 0.1, 0.15):
        stage = Stage(escape_bound=Share(max=0.16), overkill_rate=Share(max=overkill))
        found = sensitivity(own, ties, stage)
        for ceiling, row in zip(found.ceilings, found.picks, strict=True):
            there = stage.model_copy(update={"escape_bound": Share(max=ceiling)})
            chosen = pick(own.candidates(there), there, ties).pick
            stands = chosen is not None and not own.calibrated(chosen, there).failed
            refused += chosen is not None and not stands
            assert row[-1] == (chosen.variant if chosen is not None and stands else None)
    assert refused
