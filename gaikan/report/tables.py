"""Tables for people: rows of text from frames."""

import pandas as pd

from gaikan.report.markdown import Rows

FEW = 10  # groups; Student's quantile for 9 degrees of freedom is 15 % above the normal one


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; nothing for what was not measured."""
    return "" if value is None or pd.isna(value) else f"{100 * value:.1f}"


def accuracy_rows(summary: pd.DataFrame, wide: bool = False) -> tuple[list[str], Rows]:
    """Header and rows of the table that people read, one row a variant, best first.

    Not `wide`, it fits a terminal of 80 columns.
    """
    original = "original" in summary
    header = ["variant", "", "acc.", "95 %", "bal.", "val."]
    if original:
        header += ["original protocol", "optimism", "95 %"] if wide else ["orig.", "optim."]
    rows = []
    for row in summary.to_dict("records"):
        cells = [
            str(row["variant"]),
            "=" if row["tied"] is True else "",
            percent(row["accuracy"]),
            _range(row["low"], row["high"]),
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


def _range(low: float, high: float) -> str:
    return "unknown" if pd.isna(low) else f"{percent(low)}-{percent(high)}"


def _signed(value: float) -> str:
    return "" if pd.isna(value) else f"{100 * value:+.1f}"


def caption(seeds: int, test_parts: int, test_groups: int | None, original: bool) -> str:
    """What the interval and the mark of the accuracy table mean."""
    drawn = f"{test_parts} test parts" if test_groups is None else f"{test_groups} test groups"
    over = (
        f"{seeds} seeds and {drawn}"
        if seeds > 1
        else f"{drawn} (one seed: how much training varies is not in it)"
    )
    text = (
        "Test figures in %, mean over seeds: accuracy with 95 % interval, balanced accuracy; "
        f"last, validation accuracy. Interval: bootstrap over {over}, its width by Student's t. "
        "`=`: cannot be told from the best (paired comparison, Holm-corrected over all pairs, "
        "5 %)."
    )
    if test_groups == 1:
        text += " One test group: nothing shows how groups differ, so there is no interval."
    elif test_groups is not None and test_groups < FEW:
        text += f" {test_groups} test groups say little of others: more would narrow it."
    if original:
        text += (
            " Original protocol: anchors from the labels of the first 1,000 test rows, which are "
            "then scored; optimism: less the held-out accuracy on those rows. It says how much "
            "the protocol flatters, not how good a variant is."
        )
    return text
