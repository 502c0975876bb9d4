"""Picking, from tables: against brute force, and what the reasons claim."""

from dataclasses import replace
from functools import cache, reduce
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp
from small_run import Fake, row
from statsmodels.stats.contingency_tables import mcnemar

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import CEILINGS, Range, Share, Stage
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import pick
from gaikan.selection.constraint_words import enough
from gaikan.selection.reasons import binding, nearest_miss, why_not, without, worth
from gaikan.selection.sensitivity import sensitivity
from gaikan.selection.ties import Ties
from gaikan.variants import Variant

COSTS = FactoryConfig(defect_rate=0.1, escape_cost=50, overkill_cost=1)
PARTS, VARIANTS = 60, ("mlp-a-mean_image", "mlp-b-mean_image", "cnn-a-mean_image")
Figures = dict[str, float | None]


def random_run(seed: int, seeds: int = 2, lots: bool = False) -> RunFiles:
    """Three variants with whole ok margins; classes good (0), open (1) and spur (2)."""
    rng = np.random.default_rng(seed)
    networks, rows = [], []
    lot = np.arange(PARTS) % 4 if lots else None
    for variant in VARIANTS:
        skill = rng.integers(0, 7)
        for number in range(seeds):
            label = np.random.default_rng([seed, number]).integers(0, 3, PARTS)
            margin = np.where(label == 0, skill, -skill) + rng.integers(-4, 5, PARTS).astype(float)
            defect = np.where(rng.random(PARTS) < 0.8, np.maximum(label, 1), 1)
            predicted = np.where(margin > 0, 0, defect)
            mode = np.where(label == 2, 1, -1)
            sample = np.arange(PARTS) + 30 * number
            part = DecidedParts(sample, label, predicted, defect, margin, mode, lot)
            networks.append(NetworkDecisions(Variant(*variant.split("-")), number, part, part))
        for label_, threads in (
            ("onnxruntime-fp32", 1),
            ("onnxruntime-int8", 1),
            ("onnxruntime-int8", 2),
        ):
            p50 = float(rng.choice([0.5, 1, 2, 4])) / threads
            rows.append(
                row(
                    Fake(variant, 0, {label_: p50 * threads}),
                    label_,
                    threads,
                    p50_low_ms=p50 * float(rng.choice([0.4, 0.9])),
                    p50_high_ms=p50 * float(rng.choice([1.1, 2.1])),
                    agreement=1.0 if "fp32" in label_ else float(rng.choice([0.9, 0.98, 0.999, 1])),
                    model_bytes=int(rng.integers(1, 4)),
                )
            )
    rows += [_elsewhere(variant, seed) for variant in VARIANTS]
    classes = ("ok", "open", "spur")
    return RunFiles(Path(), Config(), classes, ("round", "long"), 0, tuple(networks), tuple(rows))


def _elsewhere(variant: str, seed: int) -> Row:
    """What the base install does not run: faster, slower or as the others."""
    p50 = float(np.random.default_rng([seed, VARIANTS.index(variant)]).choice([0.2, 1, 2]))
    return row(Fake(variant, 0, {"openvino-int8": p50}), "openvino-int8", 1, model_bytes=2)


def judging(run: RunFiles) -> Judging:
    return Judging(run, COSTS, 1.0)


_limit = st.sampled_from([0.0503, 0.1013, 0.2017, 0.3519, 0.6023, 0.9029])  # no share of 60


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    maybe: dict[str, st.SearchStrategy[Any]] = {
        "p50_ms": st.sampled_from([1.0, 2.0]).map(lambda x: Range(max=x)),
        "model_bytes": st.just(Range(max=2)),
        "threads": st.just(Range(max=1)),
        "agreement": st.just(Share(min=0.5)),
        "images_per_s": st.just(Range(min=600)),
        "accuracy": _limit.map(lambda x: Share(min=x)),
        "balanced_accuracy": _limit.map(lambda x: Share(min=x)),
        "escape_bound": _limit.map(lambda x: Share(max=x)),
        "escape_rate": _limit.map(lambda x: Share(max=x)),
        "overkill_rate": _limit.map(lambda x: Share(max=x)),
        "runtimes": st.sampled_from([("onnxruntime-int8",), ("openvino-int8",)]),
        "recall": _limit.map(lambda x: {"long": Share(min=x), "open": Share(min=x / 2)}),
    }
    names = draw(st.sets(st.sampled_from(sorted(maybe)), max_size=4))
    values = {name: draw(maybe[name]) for name in sorted(names)}
    objective = draw(st.sampled_from(["accuracy", "escape", "overkill", "cost", "latency"]))
    return Stage(**values | {"objective": objective})


@cache
def bound(escapes: int, n: int, level: float) -> float:
    return float(binomtest(escapes, n, alternative="less").proportion_ci(level).high)


def decisions(part: DecidedParts, threshold: float | None) -> list[int]:
    assert part.ok_margin is not None
    assert part.defect is not None
    if threshold is None:
        return [int(each) for each in part.predicted]
    both = zip(part.ok_margin.tolist(), part.defect.tolist(), strict=True)
    return [0 if margin > threshold else defect for margin, defect in both]


def naive_figures(part: DecidedParts, predicted: list[int], lost: float, level: float) -> Figures:
    """Each with `lost` of the parts taken as errors of its kind."""
    label = part.label.tolist()
    n, pairs = len(label), list(zip(label, predicted, strict=True))
    defects, goods = sum(a != 0 for a in label), sum(a == 0 for a in label)
    escapes = sum(a != 0 and p == 0 for a, p in pairs)
    overkills = sum(a == 0 and p != 0 for a, p in pairs)
    kinds = {kind: [p == a for a, p in pairs if a == kind] for kind in set(label)}
    least = min(map(len, kinds.values()))
    balanced = sum(sum(right) / len(right) for right in kinds.values()) / len(kinds)
    escape, overkill = escapes / defects + lost * n / defects, overkills / goods + lost * n / goods
    figures = {
        "accuracy": sum(a == p for a, p in pairs) / n - lost,
        "balanced_accuracy": balanced - min(1, lost * n / least) / len(kinds),
        "escape_rate": escape,
        "escape_bound": bound(escapes, defects, level) + lost * n / defects,
        "overkill_rate": overkill,
        "recall.open": sum(kinds[1]) / len(kinds[1]) - lost * n / len(kinds[1]),
        "recall.long": sum(kinds[2]) / len(kinds[2]) - lost * n / len(kinds[2]),
    }
    shares: Figures = {name: min(1, max(0, value)) for name, value in figures.items()}
    return shares | {"cost": 1000 * (0.1 * 50 * min(1, escape) + 0.9 * min(1, overkill))}


def naive_threshold(
    part: DecidedParts, stage: Stage, lost: float, level: float
) -> tuple[float | None, bool]:
    """Tries every border between whole margins, strictest first, until a ceiling breaks."""
    if not stage.ceilings:
        return None, True
    if stage.objective not in ("overkill", "cost"):
        natural = naive_figures(part, decisions(part, None), lost, level)
        if all((natural[name] or 0) <= limit + 1e-12 for name, limit in stage.ceilings.items()):
            return None, True
    best: tuple[float, float] | None = None
    assert part.ok_margin is not None
    held = part.ok_margin[part.label != 0]
    for threshold in np.arange(20, -20, -1) + 0.5:
        if threshold + 0.5 > held.max() + 1:
            continue
        figures = naive_figures(part, decisions(part, threshold), lost, level)
        if any((figures[name] or 0) > limit + 1e-12 for name, limit in stage.ceilings.items()):
            break
        free = naive_figures(part, decisions(part, threshold), 0, level)
        price = (free["cost"] if stage.objective == "cost" else free["overkill_rate"]) or 0
        if best is None or price < best[0] - 1e-12:
            best = price, threshold
    return (20.5, False) if best is None else (best[1], True)


def naive(run: RunFiles, stage: Stage) -> dict[tuple[str, int, int], tuple[float, Figures]]:
    """Candidates (variant, seed, index of the row) that qualify: their merit and figures."""
    found = {}
    level = 1 - 0.05 / len(run.networks)
    for network in run.networks:
        for i, line in enumerate(run.rows):
            if line.variant != network.variant:
                continue
            lost = round(1 - (line.agreement or 0), 9)
            threshold, holds = naive_threshold(network.validation, stage, lost, level)
            figures = naive_figures(
                network.validation, decisions(network.validation, threshold), lost, level
            )
            if not (holds and meets(stage, line, figures)):
                continue
            names = {"escape": "escape_rate", "overkill": "overkill_rate", "cost": "cost"}
            name = names.get(stage.objective, "accuracy")
            merit = figures[name] if name == "accuracy" else -(figures[name] or 0)
            if stage.objective == "latency":
                merit = -(line.p50_ms or 0)
            found[network.variant, network.seed, i] = (merit or 0.0, figures)
    return found


def meets(stage: Stage, line: Row, figures: Figures) -> bool:
    base = ("onnxruntime-fp32", "onnxruntime-int8")
    if f"{line.runtime}-{line.precision}" not in (stage.runtimes or base):
        return False
    for name, limit in stage.limits.items():
        value = figures[name] if name in figures else getattr(line, name)
        if name in stage.ceilings:
            continue  # the threshold saw to it
        assert value is not None
        if not (limit.min or 0) <= value <= (np.inf if limit.max is None else limit.max):
            return False
    return True


def key(candidate: Candidate, run: RunFiles) -> tuple[str, int, int]:
    place = next(i for i, line in enumerate(run.rows) if line is candidate.row)
    return candidate.variant, candidate.seed, place


@given(st.integers(0, 10**6), stages())
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


def right_or_wrong(run: RunFiles, stage: Stage, variant: str) -> list[bool]:
    """What the objective counts, part by part, of a variant's only seed."""
    (network,) = (each for each in run.networks if each.variant == variant)
    part = network.validation
    threshold, _ = naive_threshold(part, stage, 0, 1 - 0.05 / len(run.networks))
    pairs = zip(part.label.tolist(), decisions(part, threshold), strict=True)
    if stage.objective == "accuracy":
        return [actual == said for actual, said in pairs]
    wanted = stage.objective == "overkill"
    return [(actual == 0) == (said == 0) for actual, said in pairs if (actual == 0) == wanted]


def naive_pick(run: RunFiles, stage: Stage) -> tuple[str, int] | None:
    """By definition, with statsmodels' tests; one seed, no groups."""
    found = naive(run, stage)
    held = {(v, i): merit for (v, _, i), (merit, _) in found.items()}
    if not held:
        return None

    def speed(place: tuple[str, int]) -> tuple[float, int]:
        return run.rows[place[1]].p50_ms or 0, run.rows[place[1]].model_bytes or 0

    def accuracy(place: tuple[str, int]) -> float:
        return found[place[0], 0, place[1]][1]["accuracy"] or 0

    order = sorted(held, key=lambda at: (-held[at], *speed(at), -accuracy(at), at))
    best, variants = order[0], sorted({variant for variant, _ in held})
    behind = set()  # those that a one-sided test, Bonferroni-corrected, shows below another one
    for pair in combinations(variants, 2):
        one, other = (right_or_wrong(run, stage, variant) for variant in pair)
        table = [
            [sum(a == x and b == y for a, b in zip(one, other, strict=True)) for y in (1, 0)]
            for x in (1, 0)
        ]
        two_sided = float(mcnemar(table, exact=True).pvalue)
        if sum(one) != sum(other) and two_sided / 2 < 0.05 / (len(variants) - 1):
            behind.add(pair[0] if sum(one) < sum(other) else pair[1])

    def tied(place: tuple[str, int]) -> bool:
        if stage.objective == "latency":
            return speed(place)[0] == speed(best)[0]
        lost = [1 - (run.rows[at[1]].agreement or 0) for at in (place, best)]
        if 0.5 ** (round(max(0, lost[0] - lost[1]) * PARTS) - 1) < 0.05:
            return False
        return place[0] == best[0] or place[0] not in behind

    among = list(filter(tied, order))
    first = run.rows[min(among, key=lambda at: (*speed(at), order.index(at)))[1]]
    # Of a time without an interval, the interval is the time itself.
    highest = first.p50_high_ms or first.p50_ms or 0
    level = [
        at for at in among if (run.rows[at[1]].p50_low_ms or run.rows[at[1]].p50_ms or 0) <= highest
    ]
    return min(level, key=lambda at: (speed(at)[1], order.index(at)))


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
        assert reads_the_same == (" as well" in each.why)
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
    assert [each.why for each in binding(own, ties, stage, candidates, chosen)] == [why]


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


@given(st.integers(0, 10**6), stages())
@settings(deadline=None, max_examples=40)
def test_what_is_called_faster_or_smaller_is(seed: int, stage: Stage) -> None:
    own = judging(random_run(seed, seeds=1))
    choice = pick(own.candidates(stage), stage, Ties(own))
    for other in choice.tied[1:]:
        assert choice.pick is not None
        said, (one, two) = why_not(other, choice, stage), (choice.pick.row, other.row)
        times, sizes = (one.p50_ms, two.p50_ms), (one.model_bytes, two.model_bytes)
        assert ("faster" not in said) or times[0] < times[1]  # type: ignore[operator]
        assert ("smaller" not in said) or sizes[0] < sizes[1]  # type: ignore[operator]
        if "ahead" in said:
            assert sizes[0] == sizes[1]
            assert choice.pick.merit >= other.merit


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
