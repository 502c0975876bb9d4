"""The accuracy table: its rows as text, and its caption."""

import pandas as pd

from gaikan.report.markdown_table import Rows, percent
from gaikan.report.strings import Words, joined, say

FEW = 10  # groups; Student's quantile for 9 degrees of freedom is 15 % above the normal one


def accuracy_rows(summary: pd.DataFrame, wide: bool = False) -> tuple[list[str], Rows]:
    """Header and rows, one row per variant, best first.

    Unless `wide`, it fits a terminal of 80 columns.
    """
    original = "original" in summary
    header = ["variant", "", "acc.", "95 %", "bal.", "val."]
    if original:
        header += ["original protocol", "optimism", "95 %"] if wide else ["orig.", "optim."]
    rows = []
    # `tied` of a variant that was not compared is None, after a merge NaN.
    for row in summary.assign(tied=summary["tied"].eq(True)).to_dict("records"):
        cells = [
            str(row["variant"]),
            "=" if row["tied"] else "",
            percent(row["accuracy"]),
            interval(row["low"], row["high"]),
            percent(row["balanced_accuracy"]),
            percent(row["validation_accuracy"]),
        ]
        if original:
            cells += [percent(row["original"]), _signed(row["optimism"])]
            if wide:
                low, high = _signed(row["optimism_low"]), _signed(row["optimism_high"])
                cells += [f"{low} to {high}" if low else ""]
        rows.append(cells)
    return header, rows


def interval(low: float, high: float) -> str:
    """Two shares as percentages; unknown where all parts are of one group."""
    return "unknown" if pd.isna(low) else f"{percent(low)}-{percent(high)}"


def _signed(value: float) -> str:
    return "" if pd.isna(value) else f"{100 * value:+.1f}"


def caption(seeds: int, test_parts: int, test_groups: int | None, original: bool) -> Words:
    """What the interval and the mark of the accuracy table mean."""
    drawn = say("n_test_groups", n=test_groups)
    if test_groups is None:
        drawn = say("n_test_parts", n=test_parts)
    over = say("drawn_many" if seeds > 1 else "drawn_one", seeds=seeds, drawn=drawn)
    drawn_over = say("one_group") if test_groups == 1 else say("interval_is", drawn=over)
    sentences = [say("accuracy_caption", interval=drawn_over)]
    if test_groups is not None and 1 < test_groups < FEW:
        sentences.append(say("few_groups", n=test_groups))
    if original:
        sentences.append(say("original_caption"))
    return joined(sentences)
