"""Picking, against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_picks import naive, naive_pick
from random_runs import PARTS, judging, key, random_run, stages
from scipy.stats import ttest_1samp

from gaikan.config.stages import Share, Stage
from gaikan.run_folder.decisions import NetworkDecisions
from gaikan.selection.choose import pick
from gaikan.selection.ties import Ties

# Nearly all defective parts are asked about, and some lie just above the border.
ASKING = Stage(objective="overkill", escape_rate=Share(max=0.0503), ask_rate=Share(max=0.9029))

# No good part is rejected, nor by the network without `spur`, which lies far above its border.
SURE = Stage(objective="overkill", escape_rate=Share(max=0.1013), unseen_escape=Share(max=0.9029))


@given(st.integers(0, 10**6), stages())
@example(0, ASKING)
@example(0, SURE)
@settings(deadline=None, max_examples=60)
def test_what_qualifies_is_what_brute_force_finds(seed: int, stage: Stage) -> None:
    run = random_run(seed)
    expected = naive(run, stage)
    found = {key(c, run): c for c in judging(run).candidates(stage) if not c.failed}
    assert set(found) == set(expected)
    for place, candidate in found.items():
        merit, figures = expected[place]
        assert candidate.merit == pytest.approx(merit)
        for name, value in candidate.judged.values.items():
            if name != "escape_bound" or "escape_bound" in stage.ceilings:
                assert value == pytest.approx(figures[name])


@given(st.integers(0, 10**6), stages().filter(lambda stage: stage.objective != "cost"))
@settings(deadline=None, max_examples=60)
def test_the_pick_is_what_brute_force_finds(seed: int, stage: Stage) -> None:
    run = random_run(seed, seeds=1)
    own = judging(run)
    chosen = pick(own.candidates(stage), stage, Ties(own)).pick
    expected = naive_pick(run, stage)
    assert (chosen and chosen.variant) == (expected and expected[0])
    if chosen is not None and expected is not None:
        line = run.rows[expected[1]]
        assert (chosen.row.p50_ms, chosen.row.model_bytes) == (line.p50_ms, line.model_bytes)


@given(st.integers(0, 10**6), stages())
@settings(deadline=None, max_examples=40)
def test_of_a_variants_seeds_the_best_on_validation_is_installed(seed: int, stage: Stage) -> None:
    run = random_run(seed, seeds=3)
    own = judging(run)
    candidates = own.candidates(stage)
    chosen = pick(candidates, stage, Ties(own)).pick
    if chosen is not None:
        same = [c for c in candidates if c.row is chosen.row and not c.failed]
        assert chosen.merit == max(c.merit for c in same)


@pytest.mark.parametrize(("p50_ms", "expected"), [(1.1, "better"), (1.2, "fast")])
def test_times_whose_intervals_meet_do_not_decide(p50_ms: float, expected: str) -> None:
    """Nor do the few bytes by which a model file names one class more."""
    run = random_run(3, seeds=1)
    first, second = run.networks[:2]
    label = first.validation.label
    wrong = np.where(np.arange(PARTS) < 1, (label + 1) % 3, label)
    networks = (
        replace(first, validation=replace(first.validation, predicted=label)),
        replace(second, validation=replace(first.validation, predicted=wrong)),
    )
    rows = tuple(
        replace(
            of,
            p50_ms=p50,
            p50_low_ms=0.95 * p50,
            p50_high_ms=1.05 * p50,
            agreement=1.0,
            model_bytes=size,
        )
        for of, p50, size in (
            (run.rows[0], p50_ms, 5_900_123),
            (next(r for r in run.rows if r.variant == second.variant), 1.0, 5_900_000),
        )
    )
    own = judging(replace(run, networks=networks, rows=rows))
    choice = pick(own.candidates(Stage()), Stage(), Ties(own))
    assert choice.pick is not None
    assert choice.pick.variant == {"better": first, "fast": second}[expected].variant


@pytest.mark.parametrize(("errors", "expected"), [(4, "fast"), (5, "right")])
def test_what_the_parts_at_hand_show_outweighs_speed(errors: int, expected: str) -> None:
    """All in one lot: by McNemar's one-sided test 5 of 5 are no chance, 4 of 4 are."""
    run = random_run(3, seeds=1, lots=True)
    first, second = run.networks[:2]
    label = first.validation.label
    wrong = np.where(np.arange(PARTS) < 4 * errors, (label + 1) % 3, label)
    wrong = np.where(np.arange(PARTS) % 4 == 0, wrong, label)
    networks = (
        replace(first, validation=replace(first.validation, predicted=label)),
        replace(second, validation=replace(first.validation, predicted=wrong)),
    )
    rows = tuple(
        replace(r, p50_ms=p50, p50_low_ms=p50, p50_high_ms=p50, agreement=1.0)
        for r in run.rows
        for p50 in [0.1 if r.variant == second.variant else 1.0]
    )
    own = judging(replace(run, networks=networks, rows=rows))
    chosen = pick(own.candidates(Stage()), Stage(), Ties(own)).pick
    assert chosen is not None
    assert chosen.variant == {"right": first.variant, "fast": second.variant}[expected]


def test_with_several_seeds_a_part_counts_once() -> None:
    """The same 5 parts wrong in each of three seeds are 5, not 15."""
    run = random_run(3, seeds=3)
    first, second = run.networks[0], run.networks[3]
    part = first.validation
    wrong = np.where(np.arange(PARTS) < 5, (part.label + 1) % 3, part.label)
    networks = [
        NetworkDecisions(each.parts, seed, replace(part, predicted=said), first.test)
        for each, said in ((first, part.label), (second, wrong))
        for seed in range(3)
    ]
    own = judging(replace(run, networks=tuple(networks)))
    candidates = {c.variant: c for c in own.candidates(Stage()) if c.lost == 0}
    pair = candidates[first.variant], candidates[second.variant]
    among = tuple(sorted((first.variant, second.variant)))
    units = np.array([[0.0] * 5 + [1.0] * (PARTS - 5)])
    p = ttest_1samp(units[0] - 1, 0).pvalue
    assert Ties(own).told_apart(*pair, among, Stage()) == (p / 2 < 0.05)
