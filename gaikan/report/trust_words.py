"""Words and tables on how far to trust a run: rates, leaks, references, mistakes, recall."""

import numpy as np
import pandas as pd

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import parts_needed, upper_bound
from gaikan.report.accuracy_table import interval
from gaikan.report.markdown_table import Rows, percent
from gaikan.report.strings import Words, joined, plain, say
from gaikan.run_folder.manifest import LeakCounts

_SHOWN = 5  # variants whose recall is spelled out in the report


def rate_rows(rates: pd.DataFrame) -> tuple[list[str], Rows]:
    """Header and rows of the table of escapes and overkills, which fits 80 columns.

    Cells are empty where the test part has no defective part, or no good one.
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
    """The counts of all seeds, or their range where there are more than three."""
    counts = sorted(map(int, seeds.split()))
    return seeds if len(counts) <= 3 else f"{counts[0]}-{counts[-1]}"


def rates_caption(rates: pd.DataFrame, grouped: bool) -> Words:
    """The caption of the table of escapes and overkills."""
    first = rates.iloc[0]
    seeds = len(str(first["escapes"]).split())
    each = "" if seeds == 1 else say("each_seed")
    bounds = say("bounds_grouped" if grouped else "bounds_exact")
    parts = {"defects": first["defects"], "goods": first["goods"]}
    return say("rates_caption", each=each, bounds=bounds, **parts)


def factory_rows(rates: pd.DataFrame, factory: FactoryConfig) -> tuple[list[str | Words], Rows]:
    """Columns and rows of cost and escape target; no rows where neither is configured."""
    columns: list[str | Words] = ["variant"]
    if factory.defect_rate is not None:
        columns += ["cost", "cost_bound"]
    if factory.escape_target is not None:
        columns += [say("c_target", target=factory.escape_target)]
    rows = []
    for row in rates.to_dict("records"):
        cells = [str(row["variant"])]
        if factory.defect_rate is not None:
            costs = row["cost"], row["cost_bound"]
            cells += ["not measured" if np.isnan(cost) else f"{cost:.4g}" for cost in costs]
        if factory.escape_target is not None:
            cells += [str(row["target"])]
        rows.append(cells)
    return columns, rows if len(columns) > 1 else []


def smallest_shown(rates: pd.DataFrame) -> Words:
    """What no escape at all on this test part would show."""
    defects = int(rates.iloc[0]["defects"])
    needed = {"percent": parts_needed(0.01), "permille": parts_needed(0.001)}
    least = percent(upper_bound(0, defects))
    return say("smallest_shown", defects=defects, least=least, **needed)


def leak_rows(table: pd.DataFrame) -> tuple[list[Words], Rows]:
    """Columns and rows of the table of `leak_accuracy`: variant x kind of part."""
    kinds = table[["kind", "parts"]].drop_duplicates()
    columns = [say(f"c_{kind}", n=n) for kind, n in kinds.itertuples(index=False)]
    by_variant = table.groupby("variant", sort=False)["accuracy"]
    rows = [[str(variant), *map(percent, accuracy)] for variant, accuracy in by_variant]
    return [say("c_variant"), *columns], rows


def leak_sentences(leaks: LeakCounts, test_parts: int) -> list[Words]:
    """What the audit found, worst first; empty where it found nothing."""
    counts = {
        "leak_exact": leaks.test_parts_with_exact_copy_in_training,
        "leak_near": leaks.test_parts_with_near_copy_in_training,
        "leak_name": leaks.test_parts_named_as_one_in_training,
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

    Such as "14 of 120 “spur” called “mousebite”"; sorted by the share of the actual class.
    """
    over = say("seeds_together", n=seeds) if seeds > 1 else plain("")
    mistakes = []
    for actual, row in counts.iterrows():
        total = int(row.sum())
        mistakes += [
            (n / total, n, total, str(actual), str(called))
            for called, n in zip(counts.columns, row.tolist(), strict=True)
            if n and str(called) != str(actual)
        ]
    mistakes.sort(key=lambda item: (-item[0], item[3], item[4]))
    return [
        joined([say("confused", n=n, total=total, actual=a, predicted=b), over], plain(""))
        for _, n, total, a, b in mistakes[:most]
    ]


def recall_rows(
    recalls: pd.DataFrame, best_first: list[str], with_escapes: bool
) -> tuple[list[str], Rows]:
    """Columns and rows: the recall of each kind of part by each of the best variants."""
    shown = [variant for variant in best_first if variant in set(recalls["variant"])][:_SHOWN]
    columns = ["variant", "kind", "right", "percent", "interval"] + ["escapes"] * with_escapes
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
    return columns, rows


def reference_sentence(summary: pd.DataFrame) -> Words | None:
    """How the best classical reference compares with the best network; None without either."""
    kinds = summary["kind"]
    references, networks = summary[kinds == "reference"], summary[kinds != "reference"]
    if not len(references) or not len(networks):
        return None
    classical, network = references.iloc[0], networks.iloc[0]
    key = "reference_tied" if references["tied"].eq(True).iloc[0] else "reference_behind"
    if classical["accuracy"] >= network["accuracy"]:
        key = "reference_no_worse"
    best = [f"{row['variant']} ({percent(row['accuracy'])} %)" for row in (classical, network)]
    return say(key, classical=best[0], network=best[1])
