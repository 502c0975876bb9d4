"""The critical-difference diagram: mean ranks on an axis, bars over what cannot be told apart."""

import io

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gaikan.evaluation.ranks import joined
from gaikan.figures.colours import INK, QUIET
from gaikan.figures.style import fixed, labels, sheet, styled, text_inches

# Inches. The axis is fixed, the names beside it take what they need: under 8 in all.
_AXIS, _SIDE = 3.1, 0.5
_ROW, _BAR = 0.19, 0.1
_TOP, _FOOT = 0.72, 0.12
_POINTS = 8
_NUMBERED = 20  # ranks on the axis; of more, every second has its number, or every third
_BAR_GREY = "#a8a8a8"


@styled
def critical_difference_diagram(mean_ranks: pd.Series, difference: float) -> Figure:
    """The diagram of Demšar (2006), figure 1.

    `mean_ranks` is by variant, ascending; `difference` is the critical difference. Bars join
    variants that cannot be told apart, with a dot at the rank of each of them.
    """
    ranks = [float(rank) for rank in mean_ranks]
    bars = joined(ranks, difference)
    n_variants = len(ranks)
    left_rows = -(-n_variants // 2)
    names = labels(map(str, mean_ranks.index), columns=40)
    texts = [names[str(name)] for name in mean_ranks.index]
    width = float(text_inches(texts, _POINTS)[:, 0].max()) + 0.1
    first_row = 0.14 + _BAR * (len(bars) + 1)  # below the axis
    depth = first_row + _ROW * left_rows
    across = _AXIS + 2 * (_SIDE + width)
    figure = sheet(across, _TOP + depth + _FOOT)
    # One unit is an inch; the axis of ranks is at height 0.
    axes = fixed(figure, 0, 0, *figure.get_size_inches())
    axes.set_axis_off()
    axes.set_xlim(0, across)
    axes.set_ylim(-depth - _FOOT, _TOP)
    edge = _SIDE + width

    def across_of(rank: float) -> float:
        return edge + _AXIS * (rank - 1) / (n_variants - 1)

    _rank_axis(axes, [(across_of(rank), rank) for rank in range(1, n_variants + 1)])
    _ruler(axes, across_of(1), across_of(1 + difference), difference)
    for i, (rank, text) in enumerate(zip(ranks, texts, strict=True)):
        left = i < left_rows
        row = i if left else n_variants - 1 - i
        end = width + 0.05 if left else across - width - 0.05
        _leader(axes, across_of(rank), -first_row - _ROW * row, end, f"{rank:.2f}", text, left)
    for level, (first, last) in enumerate(bars):
        height = -0.14 - _BAR * level
        members = [across_of(rank) for rank in ranks[first : last + 1]]
        ends = [members[0], members[-1]]
        axes.plot(ends, [height] * 2, color=_BAR_GREY, lw=4.5, solid_capstyle="round", zorder=3)
        axes.plot(members, [height] * len(members), "o", color=INK, ms=3.2, zorder=4)
    return figure


def _rank_axis(axes: Axes, ticks: list[tuple[float, int]]) -> None:
    axes.add_line(Line2D([ticks[0][0], ticks[-1][0]], [0, 0], color=INK, lw=1))
    step = -(-len(ticks) // _NUMBERED)
    for across, rank in ticks:
        axes.add_line(Line2D([across, across], [0, 0.06], color=INK, lw=1))
        if rank % step == 1 % step:
            axes.text(across, 0.08, str(rank), size=8, ha="center", va="bottom")
    axes.text(ticks[-1][0] + 0.15, 0.04, "mean rank", size=8, color=QUIET, va="bottom")


def _ruler(axes: Axes, start: float, end: float, difference: float) -> None:
    """The critical difference to scale, above the axis."""
    text = f"CD = {difference:.2f}"
    axes.add_line(Line2D([start, end], [0.4, 0.4], color=INK, lw=1.6))
    for edge in (start, end):
        axes.add_line(Line2D([edge, edge], [0.36, 0.44], color=INK, lw=1.6))
    axes.text((start + end) / 2, 0.46, text, size=8, ha="center", va="bottom")


def _leader(
    axes: Axes, across: float, height: float, end: float, rank: str, text: str, left: bool
) -> None:
    """From a mean rank on the axis down and out to the variant's name."""
    axes.add_line(Line2D([across, across, end], [0, height, height], color=INK, lw=0.8))
    side = "right" if left else "left"
    axes.text(end + (-0.06 if left else 0.06), height, text, size=_POINTS, ha=side, va="center")
    inwards = "left" if left else "right"
    axes.text(end, height + 0.01, rank, size=7, color=QUIET, ha=inwards, va="bottom")


@styled
def svg(figure: Figure) -> str:
    """The figure as SVG, byte for byte the same for the same figure."""
    content = io.StringIO()
    with rc_context({"svg.hashsalt": "gaikan"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()
