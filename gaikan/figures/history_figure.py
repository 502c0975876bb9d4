"""Accuracy over commits, one panel per variant, with its change point marked."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from scipy.stats import t

from gaikan.evaluation.change_point import ChangePoint, change_point
from gaikan.evaluation.comparisons import holm
from gaikan.evaluation.statistics import LEVEL
from gaikan.evaluation.verdict_names import INCONCLUSIVE, WORSE
from gaikan.figures.colours import PALETTE
from gaikan.figures.style import fixed, labels, sheet, styled
from gaikan.seeds import stream

WIDTH, HEIGHT, ACROSS = 3.3, 1.25, 2  # inches of a panel; panels in a row
_LEFT, _TOP, _BOTTOM, _GAP = 0.6, 0.55, 0.55, 0.35
_EXPLAINED = (
    "bars: 95 % of training noise; orange: worse; hollow: inconclusive; "
    "line: a change point, significant over all panels at 5 %"
)
_TICKS = 12  # at most, on the axis of commits


def change_points(table: pd.DataFrame) -> dict[str, ChangePoint]:
    """By variant, its change point if significant at 5 % after Holm over all variants."""
    points = {}
    for variant, own in table.groupby("variant", sort=False):
        known = own["error"].notna().to_numpy()
        columns = own[["accuracy", "error", "seeds"]].to_numpy(np.float64)
        accuracy, error, seeds = columns[known].T
        name = str(variant)
        point = change_point(accuracy, error, seeds - 1, stream(0, "change point", name))
        if point is not None:
            points[name] = point
    corrected = holm(np.array([point.p for point in points.values()]))
    found = zip(points.items(), corrected, strict=True)
    return {name: point for (name, point), p in found if p < 1 - LEVEL}


@styled
def history_figure(history: pd.DataFrame) -> Figure:
    """From the table of `history.csv`; runs on other test data than the last run's are left out."""
    table = history[history["data"] == history["data"].iloc[-1]]
    of_row = list(zip(table["date"], table["commit"], strict=True))
    runs = list(dict.fromkeys(of_row))
    number_of = {run: i for i, run in enumerate(runs)}
    numbers = np.array([number_of[run] for run in of_row])
    variants = list(dict.fromkeys(table["variant"]))
    points = change_points(table)
    down = -(-len(variants) // ACROSS)
    height = _TOP + down * (HEIGHT + _GAP) + _BOTTOM
    figure = sheet(ACROSS * (WIDTH + _LEFT) + 0.2, height, "Test accuracy over commits")
    figure.text(0.1 / figure.get_figwidth(), 1 - 0.32 / height, _EXPLAINED, va="top", size=8)
    for i, variant in enumerate(variants):
        row, column = divmod(i, ACROSS)
        left = _LEFT + column * (WIDTH + _LEFT)
        bottom = height - _TOP - (row + 1) * (HEIGHT + _GAP) + 0.1
        axes = fixed(figure, left, bottom, WIDTH, HEIGHT)
        own = (table["variant"] == variant).to_numpy()
        _panel(axes, numbers[own], table[own], points.get(variant))
        axes.set_title(labels([variant], columns=44)[variant], loc="left", size=8)
        axes.set_xlim(-0.5, max(len(runs) - 0.5, 1.5))
        _commits(axes, runs, last=row == down - 1 or i + ACROSS >= len(variants))
    return figure


def _panel(
    axes: Axes, numbers: NDArray[np.int64], own: pd.DataFrame, point: ChangePoint | None
) -> None:
    accuracy, seeds = own["accuracy"].to_numpy(np.float64), own["seeds"].to_numpy(np.float64)
    quantile = t.ppf((1 + LEVEL) / 2, np.maximum(seeds - 1, 1))
    half = np.nan_to_num(own["error"].to_numpy(np.float64)) * quantile
    axes.errorbar(
        numbers, accuracy, half, color=PALETTE[0], marker="o", ms=3, lw=0.8, elinewidth=0.8
    )
    colours = (WORSE, PALETTE[1], PALETTE[1]), (INCONCLUSIVE, PALETTE[0], "white")
    for verdict, edge, face in colours:
        judged = (own["verdict"] == verdict).to_numpy()
        axes.plot(numbers[judged], accuracy[judged], "o", color=edge, mfc=face, ms=4, zorder=3)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y")
    if point is not None:
        cut = (numbers[point.first - 1] + numbers[point.first]) / 2
        axes.axvline(cut, color=PALETTE[1], lw=1.2)
        change = 100 * (point.after - point.before)
        at, text = ("data", "axes fraction"), f"{change:+.1f}"
        note = axes.annotate(text, (cut, 1), (3, -3), at, "offset points", va="top", size=8)
        note.set_color(PALETTE[1])


def _commits(axes: Axes, runs: list[tuple[str, str]], last: bool) -> None:
    step = -(-len(runs) // _TICKS)
    shown = range(0, len(runs), step)
    axes.set_xticks(list(shown))
    names = [runs[i][1][:7] or runs[i][0][:10] for i in shown]
    axes.set_xticklabels(names if last else [], rotation=60, ha="right", size=7)
