"""What qualifies and what is picked, by definition: slow loops and the tests of other libraries."""

from functools import cache
from itertools import combinations

import numpy as np
from random_runs import PARTS
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar

from gaikan.config.stages import Stage
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row

Figures = dict[str, float | None]


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


def naive_asks(part: DecidedParts, share: float | None) -> list[bool]:
    """Whether each part would be asked about, were it called good (0)."""
    good = [p for p, label in zip(part.novelty_p, part.label, strict=True) if label == 0]
    tried = sorted({0.0, *good}, reverse=True)
    level = next(x for x in tried if sum(p <= x for p in good) <= (share or 0) * len(good) + 1e-9)
    return [share is not None and 0 < p <= level for p in part.novelty_p.tolist()]


def after_asking(part: DecidedParts, predicted: list[int], share: float | None) -> list[int]:
    """The classes, where a person finds what an asked part is."""
    triples = zip(part.label.tolist(), predicted, naive_asks(part, share), strict=True)
    return [actual if asked and said == 0 else said for actual, said, asked in triples]


def naive_figures(
    part: DecidedParts, predicted: list[int], lost: float, level: float, share: float | None
) -> Figures:
    """Each with `lost` of the parts taken as errors of its kind; a `share` of good ones asked."""
    label = part.label.tolist()
    n, pairs = len(label), list(zip(label, predicted, strict=True))
    defects, goods = sum(a != 0 for a in label), sum(a == 0 for a in label)
    settled = list(zip(label, after_asking(part, predicted, share), strict=True))
    escapes = sum(a != 0 and p == 0 for a, p in settled)
    asked = zip(pairs, naive_asks(part, share), strict=True)
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
        "ask_rate": sum(new and pair == (0, 0) for pair, new in asked) / goods,
        "recall.open": sum(kinds[1]) / len(kinds[1]) - lost * n / len(kinds[1]),
        "recall.long": sum(kinds[2]) / len(kinds[2]) - lost * n / len(kinds[2]),
    }
    shares: Figures = {name: min(1, max(0, value)) for name, value in figures.items()}
    shares |= {"ask_rate": None} if share is None else {}
    return shares | {"cost": 1000 * (0.1 * 50 * min(1, escape) + 0.9 * min(1, overkill))}


def naive_threshold(
    part: DecidedParts, stage: Stage, lost: float, level: float
) -> tuple[float | None, bool]:
    """Tries every border between whole margins, strictest first, until a ceiling breaks."""
    if not stage.ceilings:
        return None, True
    if stage.objective not in ("overkill", "cost"):
        natural = naive_figures(part, decisions(part, None), lost, level, stage.asks)
        if all((natural[name] or 0) <= limit + 1e-12 for name, limit in stage.ceilings.items()):
            return None, True
    best: tuple[float, float] | None = None
    assert part.ok_margin is not None
    held = part.ok_margin[part.label != 0]
    for threshold in np.arange(20, -20, -1) + 0.5:
        if threshold + 0.5 > held.max() + 1:
            continue
        if threshold < held.min():
            break  # every border still rejects a defective part
        figures = naive_figures(part, decisions(part, threshold), lost, level, stage.asks)
        if any((figures[name] or 0) > limit + 1e-12 for name, limit in stage.ceilings.items()):
            break
        free = naive_figures(part, decisions(part, threshold), 0, level, stage.asks)
        price = (free["cost"] if stage.objective == "cost" else free["overkill_rate"]) or 0
        if best is None or price < best[0] - 1e-12:
            best = price, threshold
    if best is None:
        return 20.5, False
    below = held[held < best[1]].max()  # no part lies between it and the border
    above = min(part.ok_margin[(part.label == 0) & (part.ok_margin > best[1])], default=below)
    return (below + above) / 2, True


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
            called = decisions(network.validation, threshold)
            figures = naive_figures(network.validation, called, lost, level, stage.asks)
            figures["unseen_escape"] = naive_unseen(network, threshold, stage.asks, lost)
            if not (holds and meets(stage, line, figures)):
                continue
            names = {"escape": "escape_rate", "overkill": "overkill_rate", "cost": "cost"}
            name = names.get(stage.objective, "accuracy")
            merit = figures[name] if name == "accuracy" else -(figures[name] or 0)
            if stage.objective == "latency":
                merit = -(line.p50_ms or 0)
            found[network.variant, network.seed, i] = (merit or 0.0, figures)
    return found


def naive_unseen(
    network: NetworkDecisions, threshold: float | None, share: float | None, lost: float
) -> float:
    """The worst of the left-out modes, where as many good parts are rejected and look new."""
    part = network.validation
    assert part.ok_margin is not None
    goods = part.label == 0
    rejected = sum(margin <= (threshold or 0) for margin in part.ok_margin[goods].tolist())
    most = sum(marked for marked, good in zip(naive_asks(part, share), goods, strict=True) if good)
    worst = 0.0
    for mode in network.left_out:
        border, level = -np.inf, 0.0
        tried = sorted(mode.good.ok_margin)
        for margin in [min(0.0, tried[0] - 0.5), *tried]:
            if sum(x <= margin for x in tried) <= rejected:
                border = max(border, margin)
        for p in sorted(mode.good.novelty_p):
            level = p if sum(x <= p for x in mode.good.novelty_p) <= most else level
        if threshold is None or threshold >= 0:
            border = max(border, 0) if threshold is not None else 0
        own = list(zip(mode.validation.ok_margin, mode.validation.novelty_p, strict=True))
        escapes = sum(margin > border and not 0 < p <= level for margin, p in own)
        worst = max(worst, escapes / len(own))
    return min(1.0, worst + lost * len(part) / int((~goods).sum()))


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


def right_or_wrong(run: RunFiles, stage: Stage, variant: str) -> list[bool]:
    """What the objective counts, part by part, of a variant's only seed."""
    (network,) = (each for each in run.networks if each.variant == variant)
    part = network.validation
    threshold, _ = naive_threshold(part, stage, 0, 1 - 0.05 / len(run.networks))
    called = decisions(part, threshold)
    if stage.objective != "accuracy":
        called = after_asking(part, called, stage.asks)
    pairs = zip(part.label.tolist(), called, strict=True)
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
