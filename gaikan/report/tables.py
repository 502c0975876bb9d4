"""Tables for people: Markdown from frames."""

import pandas as pd
from tabulate import tabulate

Rows = list[list[str]]


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; nothing for what was not measured."""
    return "" if value is None or pd.isna(value) else f"{100 * value:.1f}"


def accuracy_rows(summary: pd.DataFrame, with_rates: bool) -> tuple[list[str], Rows]:
    """Header and rows of the table that people read, one row a variant, best first."""
    header = ["variant", "", "acc.", "95 %", "bal."]
    header += ["esc.", "overk."] if with_rates else []
    header += ["val."]
    rows = []
    for row in summary.to_dict("records"):
        cells = [
            str(row["variant"]),
            "=" if row["tied"] is True else "",
            percent(row["accuracy"]),
            f"{percent(row['low'])}-{percent(row['high'])}",
            percent(row["balanced_accuracy"]),
        ]
        cells += [percent(row["escape_rate"]), percent(row["overkill_rate"])] if with_rates else []
        rows.append([*cells, percent(row["validation_accuracy"])])
    return header, rows


def markdown(header: list[str], rows: Rows) -> str:
    """A Markdown table; text to the left, figures to the right."""
    figures = [all(_is_figure(row[i]) for row in rows) for i in range(len(header))]
    align = ["right" if figure else "left" for figure in figures]
    safe = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return tabulate(safe, header, tablefmt="pipe", colalign=align, disable_numparse=True)


def _is_figure(cell: str) -> bool:
    return not cell or cell[0].isdigit()


def caption(seeds: int, test_parts: int, test_groups: int | None) -> str:
    """What the interval and the mark of the accuracy table mean."""
    drawn = f"{test_parts} test parts" if test_groups is None else f"{test_groups} test groups"
    over = (
        f"{seeds} seeds and {drawn}"
        if seeds > 1
        else f"{drawn} (one seed: how much training varies is not in it)"
    )
    return (
        "Test figures in %, mean over seeds: accuracy with 95 % interval, balanced accuracy, "
        f"escape and overkill rate; last, validation accuracy. Interval: bootstrap over {over}. "
        "`=`: cannot be told from the best (paired bootstrap, Holm-corrected, 5 %)."
    )
