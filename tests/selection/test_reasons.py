"""What the reasons claim, against what is picked when a constraint is left out."""

from functools import reduce
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_runs import judging, key, random_run, stages

from gaikan.config.stages import CEILINGS, Range, Share, Stage
from gaikan.selection.choose import pick
from gaikan.selection.constraint_words import enough
from gaikan.selection.reasons import binding, nearest_miss, why_not, without, worth
from gaikan.selection.ties import Ties

# Without its constraints together a pick is found that fails one of them; without that one alone
# there is another, with which the old pick is tied.
TIED = Stage(
    objective="escape",
    batch_size=1,
    p50_ms=Range(max=1),
    images_per_s=Range(min=600),
    model_bytes=Range(max=2),
    agreement=Share(min=0.99),
    escape_rate=Share(max=0.6023),
)


@given(st.integers(0, 10**6), stages(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_nearest_miss_qualifies_with_what_would_have_to_give(
    seed: int, stage: Stage, lots: bool
) -> None:
    run = random_run(seed, lots=lots)
    own = judging(run)
    candidates = own.candidates(stage)
    miss = nearest_miss([each for each in candidates if each.failed], stage)
    if miss is None or "runtimes" in miss.failed:
        return
    (name,) = miss.failed if len(miss.failed) == 1 else ("",)
    value = miss.values.get(name)
    if not isinstance(value, float | int):
        return
    limit = stage.limits[name]
    side = "max" if limit.max is not None and value > limit.max else "min"
    freed = limit.model_copy(update={side: enough(limit, value)})
    kind = name.removeprefix("recall.")
    update = {name: freed} if kind == name else {"recall": stage.recall | {kind: freed}}
    again = own.candidates(stage.model_copy(update=update))
    assert key(miss, run) in [key(each, run) for each in again if not each.failed]


@given(st.integers(0, 10**6), stages())
@example(189158, TIED)
@settings(deadline=None, max_examples=40)
def test_what_binds_is_what_changes_the_pick_when_left_out(seed: int, stage: Stage) -> None:
    run = random_run(seed)
    own = judging(run)
    ties, candidates = Ties(own), own.candidates(stage)
    chosen = pick(candidates, stage, ties).pick
    if chosen is None:
        return
    bound = binding(own, ties, stage, candidates, chosen)
    found = {names: each.instead for each in bound if len(names := each.constraints) == 1}
    for each in bound:
        free = reduce(without, each.constraints, stage)
        instead = pick(judging(run).candidates(free), free, Ties(own)).pick
        assert instead is not None
        assert (instead.variant, instead.row) == (each.instead.variant, each.instead.row)
        reads_the_same = worth(stage, each.instead) == worth(stage, chosen)
        assert reads_the_same == (" as well" in each.why.en)
    for name in (*stage.allowed, *stage.limits):
        free = without(stage, name)
        instead = pick(judging(run).candidates(free), free, Ties(own)).pick
        better = instead is not None and instead.merit > chosen.merit
        if instead is None or (name in CEILINGS and not better):
            assert (name,) not in found
        else:
            changes = (instead.variant, instead.row) != (chosen.variant, chosen.row)
            assert changes == ((name,) in found)
            assert not changes or found[(name,)].variant == instead.variant


@pytest.mark.parametrize(
    ("seed", "constraint", "why"),
    [
        (
            8,
            {"model_bytes": Range(max=2)},
            "without model file <= 0.000002 MB: cnn-a-mean_image, accuracy 95 % instead of 94.9 %",
        ),
        (
            0,
            {"threads": Range(max=1)},
            "without threads <= 1 and agreement with the reference >= 99 % together: "
            "mlp-b-mean_image, accuracy 93 % instead of 96.7 %, p50 0.25 ms instead of 1 ms",
        ),
        (
            9,
            {"runtimes": ("onnxruntime-int8",)},
            "without runtime onnxruntime-int8: onnxruntime-fp32, 1 thread, "
            "accuracy 86.7 % as well, p50 0.5 ms instead of 1 ms",
        ),
        (
            32,
            {"p50_ms": Range(max=1)},
            "without p50 <= 1 ms: cnn-a-mean_image, "
            "accuracy 95 % as well, model file 0.000002 MB instead of 0.000003 MB",
        ),
        (
            8,
            {"runtimes": ("onnxruntime-int8",)},
            "without runtime onnxruntime-int8: cnn-a-mean_image, accuracy 95 % as well",
        ),
    ],
)
def test_what_binds_is_told_by_what_changes(
    seed: int, constraint: dict[str, Any], why: str
) -> None:
    stage = Stage(**constraint | {"objective": "accuracy"})
    own = judging(random_run(seed))
    ties, candidates = Ties(own), own.candidates(stage)
    chosen = pick(candidates, stage, ties).pick
    assert chosen is not None
    assert [each.why.en for each in binding(own, ties, stage, candidates, chosen)] == [why]


@given(st.integers(0, 10**6), stages())
@settings(deadline=None, max_examples=40)
def test_what_is_called_faster_or_smaller_is(seed: int, stage: Stage) -> None:
    own = judging(random_run(seed, seeds=1))
    choice = pick(own.candidates(stage), stage, Ties(own))
    for other in choice.tied[1:]:
        assert choice.pick is not None
        said, (one, two) = why_not(other, choice, stage).en, (choice.pick.row, other.row)
        times, sizes = (one.p50_ms, two.p50_ms), (one.model_bytes, two.model_bytes)
        assert ("faster" not in said) or times[0] < times[1]  # type: ignore[operator]
        assert ("smaller" not in said) or sizes[0] < sizes[1]  # type: ignore[operator]
        if "ahead" in said:
            assert sizes[0] == sizes[1]
            assert choice.pick.merit >= other.merit
