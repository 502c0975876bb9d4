"""Words and tables on what the figures are worth: rates, leaks, differences, mistakes."""

import numpy as np
import pandas as pd

from gaikan.config import FactoryConfig
from gaikan.data.leaks import Leaks
from gaikan.rates import parts_needed, upper_bound
from gaikan.report.tables import Rows, percent
from gaikan.shopfloor import Judged

_SHOWN = 5  # variants whose recall is spelled out in the report


def rate_rows(rates: pd.DataFrame) -> tuple[list[str], Rows]:
    """Header and rows of the shop-floor table, which fits 80 columns."""
    first = rates.iloc[0]
    header = ["variant", f"esc./{first['defects']}", "%", "<="]
    header += [f"overk./{first['goods']}", "%", "<="]
    return header, [
        [
            str(row["variant"]),
            _counts(str(row["escapes"])),
            percent(row["escape_rate"]),
            percent(row["escape_bound"]),
            _counts(str(row["overkills"])),
            percent(row["overkill_rate"]),
            percent(row["overkill_bound"]),
        ]
        for row in rates.to_dict("records")
    ]


def _counts(seeds: str) -> str:
    """Counts of each seed, or their range where there are many."""
    counts = sorted(map(int, seeds.split()))
    return seeds if len(counts) <= 3 else f"{counts[0]}-{counts[-1]}"


def rates_caption(rates: pd.DataFrame, grouped: bool) -> str:
    """What the shop-floor table shows."""
    first = rates.iloc[0]
    seeds = len(str(first["escapes"]).split())
    each = "" if seeds == 1 else " of each seed's network (from least to most if over 3)"
    bounds = (
        "widened by how much the test groups differ (few groups bound little)"
        if grouped
        else "exact (Clopper-Pearson)"
    )
    return (
        f"Escapes: of {first['defects']} defective test parts called good; overkills: of "
        f"{first['goods']} good ones called defective. Counts{each}; %: mean rate; <=: one-sided "
        f"95 % upper bound for the seed that erred most, {bounds}. The seeds judge the same parts, "
        "so their counts are not added up."
    )


def factory_rows(rates: pd.DataFrame, factory: FactoryConfig) -> tuple[list[str], Rows]:
    """Header and rows of costs and target; empty where the configuration names neither."""
    header = ["variant"]
    if factory.defect_rate is not None:
        header += ["cost of 1,000 parts", "at the bounds"]
    if factory.escape_target is not None:
        header += [f"escape rate <= {factory.escape_target:.3g}"]
    rows = []
    for row in rates.to_dict("records"):
        cells = [str(row["variant"])]
        if factory.defect_rate is not None:
            cells += [f"{row['cost']:.4g}", f"{row['cost_bound']:.4g}"]
        if factory.escape_target is not None:
            cells += [str(row["target"])]
        rows.append(cells)
    return header, rows if len(header) > 1 else []


def smallest_shown(rates: pd.DataFrame) -> str:
    """What the best possible result on this test set could show."""
    defects = int(rates.iloc[0]["defects"])
    least = upper_bound(0, defects)
    return (
        f"No escape at all among {defects} independent defective parts would show an escape rate "
        f"of at most {percent(least)} %; 1 % takes about {parts_needed(0.01)} without an escape, "
        f"0.1 % about {parts_needed(0.001)}."
    )


def leak_rows(judged: Judged, leaks: Leaks) -> tuple[list[str], Rows]:
    """Header and rows: test accuracy with and without what leaked, and on that alone.

    In brackets, how many parts; no rows where no test part leaked.
    """
    leaked, shared = leaks.leaked, leaks.of_shared_group
    parts = {"all parts": np.ones_like(leaked)}
    if leaked.any():
        parts |= {"without copies": ~leaked, "copies alone": leaked}
    if shared.any():
        parts |= {"new groups": ~shared, "shared groups": shared}
    header = ["variant", *(f"{name} ({int(which.sum())})" for name, which in parts.items())]
    rows = []
    for i in np.argsort(-judged.correct.mean((1, 2)), kind="stable").tolist():
        right = judged.correct[i]
        shares = [right[:, which].mean() if which.any() else None for which in parts.values()]
        rows.append([judged.variants[i], *map(percent, shares)])
    return header, rows if len(parts) > 1 else []


def recall_rows(
    recalls: pd.DataFrame, best_first: list[str], with_escapes: bool
) -> tuple[list[str], Rows]:
    """Header and rows: recall of each kind of part, right of all with interval, best variants."""
    shown = [variant for variant in best_first if variant in set(recalls["variant"])][:_SHOWN]
    header = ["variant", "part", "right", "%", "95 %"] + (["escapes"] if with_escapes else [])
    rows = []
    for variant in shown:
        for row in recalls[recalls["variant"] == variant].to_dict("records"):
            cells = [
                variant,
                str(row["kind"]),
                f"{row['right']} of {row['parts'] * row['seeds']}",
                percent(row["recall"]),
                f"{percent(row['low'])}-{percent(row['high'])}",
            ]
            if with_escapes:
                cells += ["" if pd.isna(row["escapes"]) else str(row["escapes"])]
            rows.append(cells)
    return header, rows


def reference_sentence(summary: pd.DataFrame) -> str | None:
    """Whether the best classical reference is told from the best network."""
    kinds = summary["kind"]
    references, networks = summary[kinds == "reference"], summary[kinds != "reference"]
    if not len(references) or not len(networks):
        return None
    classical, network = references.iloc[0], networks.iloc[0]
    pair = f"{classical['variant']} ({percent(classical['accuracy'])} %)"
    best = f"{network['variant']} ({percent(network['accuracy'])} %)"
    if classical["accuracy"] >= network["accuracy"]:
        return f"The best classical reference, {pair}, is no worse than the best network, {best}."
    if classical["tied"] is True:
        return f"The best classical reference, {pair}, cannot be told from {best}."
    return f"The best classical reference, {pair}, is behind {best}."
