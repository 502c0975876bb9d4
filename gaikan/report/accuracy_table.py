"""The accuracy table: its rows as text, and its caption."""

import pandas as pd

from gaikan.config.model import FactoryConfig
from gaikan.language.words import Words, joined, say
from gaikan.report.markdown_table import Rows, percent
from gaikan.run_folder.manifest import SourceEntry
from gaikan.selection.constraint_words import digits

_EQUAL = 0.8  # of all groups; where fewer would say as much they are called unequal
FEW = 10  # groups; Student's quantile for 9 degrees of freedom is 15 % above the normal one


def accuracy_rows(summary: pd.DataFrame, wide: bool = False) -> tuple[list[str], Rows]:
    """Header and rows, one row per variant, best first.

    Unless `wide`, it fits a terminal of 80 columns. The cost by which variants are ranked comes
    first, where there is one, and "=" speaks of it.
    """
    by_cost, original = "cost" in summary, "original" in summary
    header = ["variant", "", *["cost"] * by_cost, "acc.", "95 %", "bal.", "val."]
    if original:
        header += ["original protocol", "optimism", "95 %"] if wide else ["orig.", "optim."]
    rows = []
    # The mark of a variant that was not compared is None, after a merge NaN.
    for row in summary.assign(equal=may_be_best(summary).eq(True)).to_dict("records"):
        cells = [
            str(row["variant"]),
            "=" if row["equal"] else "",
            *([digits(row["cost"])] if by_cost else []),
            percent(row["accuracy"]),
            interval(row["low"], row["high"]),
            percent(row["balanced_accuracy"]),
            percent(row["validation_accuracy"]),
        ]
        if original:
            cells += [percent(row["original"]), _signed(row["optimism"])]
            if wide:
                low, high = _signed(row["optimism_low"]), _signed(row["optimism_high"])
                cells += [f"{low} … {high}" if low else ""]
        rows.append(cells)
    return header, rows


def interval(low: float, high: float) -> str:
    """Two shares as percentages; a dash where all parts are of one group."""
    return "-" if pd.isna(low) else f"{percent(low)}-{percent(high)}"


def _signed(value: float) -> str:
    return "" if pd.isna(value) else f"{100 * value:+.1f}"


def may_be_best(summary: pd.DataFrame) -> pd.Series:
    """Which may be the best by what variants are ranked by; None or NaN: not compared."""
    return summary["cheapest" if "cost" in summary else "tied"]


def caption(summary: pd.DataFrame, test: SourceEntry, factory: FactoryConfig) -> Words:
    """What the order, the interval and the mark of the accuracy table mean."""
    one_seed = int(summary["seeds"].max()) == 1
    sentences = [say("accuracy_caption", interval=_interval_is(summary, test))]
    sentences += _best_is(summary, factory)
    if one_seed:
        sentences.append(say("best_of_one_seed"))
    tied = may_be_best(summary)
    behind = tied.eq(False).cummax()  # for this one, or one above it
    if (tied.eq(True) & behind).any():
        sentences.append(say("less_certain"))
    if test.effective_groups is not None and 1 < test.effective_groups < FEW:
        sentences.append(say("few_groups", n=test.groups))
    if "original" in summary:
        sentences.append(say("original_caption"))
    return joined(sentences)


def _best_is(summary: pd.DataFrame, factory: FactoryConfig) -> list[Words]:
    if "cost" not in summary:
        unknown = [] if factory.defect_rate is None else [say("no_cost")]
        return [*unknown, say("best_is")]
    assert factory.defect_rate is not None  # else there were no costs
    told = {"escape": factory.escape_cost, "overkill": factory.overkill_cost}
    costs = {name: f"{cost:g}" for name, cost in told.items()}
    return [say("cheapest_is", defective=f"{100 * factory.defect_rate:g}", **costs)]


def _interval_is(summary: pd.DataFrame, test: SourceEntry) -> Words:
    if test.groups == 1:
        return say("one_group")
    seeds = int(summary["seeds"].max())
    if test.groups is None or test.effective_groups is None:
        drawn = say("n_test_parts", n=test.images)
    elif test.effective_groups < _EQUAL * test.groups:
        drawn = say("n_unequal_groups", n=test.groups, effective=f"{test.effective_groups:.2g}")
    else:
        drawn = say("n_test_groups", n=test.groups)
    over = say("drawn_many" if seeds > 1 else "drawn_one", seeds=seeds, drawn=drawn)
    return say("interval_is", drawn=over)
