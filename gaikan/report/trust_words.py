"""Words and tables on how far to trust a run: rates, leaks, references, mistakes, recall."""

import numpy as np
import pandas as pd

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import Lots, needed, upper_bound
from gaikan.language.words import Filling, Words, plain, say, unpacked
from gaikan.report.accuracy_table import interval, may_be_best
from gaikan.report.markdown_table import Rows, percent
from gaikan.run_folder.manifest import LeakCounts
from gaikan.selection.constraint_words import digits

Cells = list[list[str | Words]]

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
    lots, equal = first["defect_lots"], first["equal_defect_lots"]
    count = say("groups_count_as", lots=lots, equal=equal) if lots > 0 else ""
    seeds = len(str(first["escapes"]).split())
    each = "" if seeds == 1 else say("each_seed")
    bounds = say("bounds_grouped", count=count) if grouped else say("bounds_exact")
    parts = {"defects": first["defects"], "goods": first["goods"]}
    return say("rates_caption", each=each, bounds=bounds, **parts)


def factory_rows(rates: pd.DataFrame, factory: FactoryConfig) -> tuple[list[str | Words], Cells]:
    """Columns and rows of cost and escape target; no rows where neither is configured."""
    columns: list[str | Words] = ["variant"]
    if factory.defect_rate is not None:
        columns += ["cost", "cost_bound"]
    if factory.escape_target is not None:
        columns += [say("c_target", target=factory.escape_target)]
    rows = []
    for row in rates.to_dict("records"):
        cells: list[str | Words] = [str(row["variant"])]
        if factory.defect_rate is not None:
            costs = row["cost"], row["cost_bound"]
            cells += [say("value_unknown") if np.isnan(cost) else digits(cost) for cost in costs]
        if factory.escape_target is not None:
            cells += [unpacked(str(row["target"]))]
        rows.append(cells)
    return columns, rows if len(columns) > 1 else []


def smallest_shown(rates: pd.DataFrame) -> Words:
    """What no escape at all on this test part would show."""
    first = rates.iloc[0]
    defects, n_lots = int(first["defects"]), first["defect_lots"]
    lots = None
    if n_lots > 0:
        together = defects / float(first["equal_defect_lots"])
        lots = Lots(int(n_lots), defects, together, np.zeros(1))
    least = upper_bound(0, defects) if lots is None else float(lots.bounds(np.zeros(1))[0])
    percent_takes = needed(0.01, lots=lots)
    assert percent_takes is not None  # none errs: some number shows it
    return say(
        "smallest_shown" if lots is None else "smallest_shown_by_lots",
        defects=defects,
        lots=None if lots is None else lots.number,
        least=percent(least),
        percent=percent_takes,
        parts=None if lots is None else round(lots.times(percent_takes).parts),
        permille=needed(0.001, lots=lots),
    )


def lowest_bound(rates: pd.DataFrame) -> Words | None:
    """What the lowest escape bound is worth once picked as such; None without others."""
    if len(rates) < 2 or not rates.iloc[0]["defects"]:
        return None
    lowest = rates.sort_values("escape_bound", kind="stable").iloc[0]
    bounds = {name: percent(lowest[name]) for name in ("escape_bound", "escape_bound_picked")}
    return say("lowest_bound", n=len(rates), variant=lowest["variant"], **bounds)


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
    parts = leaks.test_parts_of_those_groups
    shared: dict[str, Filling] = {"names": names, "parts": parts, "total": test_parts}
    return [say(key, n=n, **shared) for key, n in counts.items() if n]


def recall_rows(
    recalls: pd.DataFrame, best_first: list[str], with_escapes: bool
) -> tuple[list[str], Cells]:
    """Columns and rows: the recall of each kind of part by each of the best variants."""
    shown = [variant for variant in best_first if variant in set(recalls["variant"])][:_SHOWN]
    columns = ["variant", "kind", "right", "percent", "interval"] + ["escapes"] * with_escapes
    rows = []
    for variant in shown:
        for row in recalls[recalls["variant"] == variant].to_dict("records"):
            cells: list[str | Words] = [
                variant,
                str(row["kind"]),
                say("right_of_all", n=row["right"], total=row["parts"] * row["seeds"]),
                percent(row["recall"]),
                interval(row["low"], row["high"]),
            ]
            if with_escapes:
                cells += ["" if pd.isna(row["escapes"]) else str(row["escapes"])]
            rows.append(cells)
    return columns, rows


def reference_sentence(summary: pd.DataFrame) -> Words | None:
    """How the best classical reference compares with the best network; None without either.

    By what the variants are ranked by. A reference that may be the best is named before one that
    is better here, but shown to be worse than another.
    """
    kinds = summary["kind"]
    references, networks = summary[kinds == "reference"], summary[kinds != "reference"]
    if not len(references) or not len(networks):
        return None
    rivals = references[may_be_best(references).eq(True)]
    classical, network = references.iloc[0], networks.iloc[0]
    if _figure(classical) >= _figure(network):
        key = "reference_no_worse"
    elif len(rivals):
        key, classical = "reference_tied", rivals.iloc[0]
    else:
        key = "reference_behind"
    return say(key, classical=_with_figure(classical), network=_with_figure(network))


def _figure(row: pd.Series) -> float:
    """What a row of the summary is ranked by; more is better."""
    return -float(row["cost"]) if "cost" in row else float(row["accuracy"])


def _with_figure(row: pd.Series) -> Words:
    variant = row["variant"]
    if "cost" in row:
        return say("with_cost", variant=variant, cost=digits(row["cost"]))
    return plain(f"{variant} ({percent(row['accuracy'])} %)")
