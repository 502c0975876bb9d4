"""The map of picks over budgets and ceilings."""

from hypothesis import given, settings
from hypothesis import strategies as st
from random_runs import judging, random_run, stages

from gaikan.config.stages import Range, Share, Stage
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
