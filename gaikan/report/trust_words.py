"""Words and tables on what the figures are worth: rates, leaks, differences, mistakes."""

import numpy as np
import pandas as pd

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import parts_needed, upper_bound
from gaikan.report.accuracy_table import interval
from gaikan.report.markdown_table import Rows, percent
from gaikan.report.strings import Words, joined, plain, say
from gaikan.run_folder.manifest import LeakCounts

_AS_IS = plain("")
_SHOWN = 5  # variants whose recall is spelled out in the report


def rate_rows(rates: pd.DataFrame) -> tuple[list[str], Rows]:
    """Header and rows of the shop-floor table, which fits 80 columns.

    Of a kind that the test part lacks, defective or good, nothing was measured.
    """
    first = rates.iloc[0]
    header = ["variant", f"esc./{first['defects']}", "%", "<="]
    header += [f"overk./{first['goods']}", "%", "<="]
    return header, [
        [
            str(row["variant"]),
            _counts(str(row["escapes"])) if row["defects"] else "",
            percent(row["escape_rate"]),
            percent(row["escape_bound"]),
            _counts(str(row["overkills"])) if row["goods"] else "",
            percent(row["overkill_rate"]),
            percent(row["overkill_bound"]),
        ]
        for row in rates.to_dict("records")
    ]


def _counts(seeds: str) -> str:
    """Counts of each seed, or their range where there are many."""
    counts = sorted(map(int, seeds.split()))
    return seeds if len(counts) <= 3 else f"{counts[0]}-{counts[-1]}"


def rates_caption(rates: pd.DataFrame, grouped: bool) -> Words:
    """What the shop-floor table shows."""
    first = rates.iloc[0]
    seeds = len(str(first["escapes"]).split())
    return say(
        "rates_caption",
        defects=first["defects"],
        goods=first["goods"],
        each="" if seeds == 1 else say("each_seed"),
        bounds=say("bounds_grouped" if grouped else "bounds_exact"),
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
            costs = row["cost"], row["cost_bound"]
            cells += ["not measured" if np.isnan(cost) else f"{cost:.4g}" for cost in costs]
        if factory.escape_target is not None:
            cells += [str(row["target"])]
        rows.append(cells)
    return header, rows if len(header) > 1 else []


def smallest_shown(rates: pd.DataFrame) -> Words:
    """What the best possible result on this test set could show."""
    defects = int(rates.iloc[0]["defects"])
    return say(
        "smallest_shown",
        defects=defects,
        least=percent(upper_bound(0, defects)),
        percent=parts_needed(0.01),
        permille=parts_needed(0.001),
    )


def leak_rows(table: pd.DataFrame) -> tuple[list[Words], Rows]:
    """Columns and rows of `leak_accuracy`: a row a variant, a column a kind of part."""
    kinds = table[["kind", "parts"]].drop_duplicates()
    columns = [say(f"c_{kind}", n=n) for kind, n in kinds.itertuples(index=False)]
    rows = [
        [str(variant), *map(percent, own["accuracy"])]
        for variant, own in table.groupby("variant", sort=False)
    ]
    return [say("c_variant"), *columns], rows


def training_has_test_parts(leaks: LeakCounts) -> bool:
    """Whether the audit found what the test part must not share."""
    return bool(
        leaks.test_parts_with_exact_copy_in_training
        or leaks.test_parts_with_near_copy_in_training
        or leaks.groups_in_training_and_test
    )


def leak_sentences(leaks: LeakCounts, test_parts: int) -> list[Words]:
    """What the audit found, worst first, empty where it is clean."""
    counts = {
        "leak_exact": leaks.test_parts_with_exact_copy_in_training,
        "leak_near": leaks.test_parts_with_near_copy_in_training,
        "leak_groups": len(leaks.groups_in_training_and_test),
        "leak_validation": max(leaks.validation_images_with_copy_in_fit.values(), default=0),
        "leak_labels": leaks.identical_images_with_different_labels,
        "leak_constant_train": leaks.constant_images.training,
        "leak_constant_test": leaks.constant_images.test,
    }
    groups = leaks.groups_in_training_and_test
    names = ", ".join(groups[:5]) + (" ..." if len(groups) > 5 else "")
    shared = {"names": names, "parts": leaks.test_parts_of_those_groups, "total": test_parts}
    return [say(key, n=n, **shared) for key, n in counts.items() if n]


def confused(counts: pd.DataFrame, seeds: int, most: int = 8) -> list[Words]:
    """The commonest mistakes of a confusion matrix of `seeds` networks, in words.

    "14 of 120 “spur” called “mousebite”", sorted by the share of the actual class.
    """
    over = say("seeds_together", n=seeds) if seeds > 1 else plain("")
    found = []
    for actual, row in counts.iterrows():
        total = int(row.sum())
        found += [
            (n / total, n, total, str(actual), str(called))
            for called, n in zip(counts.columns, row.tolist(), strict=True)
            if n and str(called) != str(actual)
        ]
    found.sort(key=lambda item: (-item[0], item[3], item[4]))
    return [
        joined([say("confused", n=n, total=total, actual=a, predicted=b), over], _AS_IS)
        for _, n, total, a, b in found[:most]
    ]


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
                interval(row["low"], row["high"]),
            ]
            if with_escapes:
                cells += ["" if pd.isna(row["escapes"]) else str(row["escapes"])]
            rows.append(cells)
    return header, rows


def reference_sentence(summary: pd.DataFrame) -> Words | None:
    """Whether the best classical reference is told from the best network."""
    kinds = summary["kind"]
    references, networks = summary[kinds == "reference"], summary[kinds != "reference"]
    if not len(references) or not len(networks):
        return None
    classical, network = references.iloc[0], networks.iloc[0]
    if classical["accuracy"] >= network["accuracy"]:
        key = "reference_no_worse"
    else:
        tied = references["tied"].eq(True).iloc[0]
        key = "reference_tied" if tied else "reference_behind"
    best = [f"{row['variant']} ({percent(row['accuracy'])} %)" for row in (classical, network)]
    return say(key, classical=best[0], network=best[1])
