"""Figures of latency: by runtime, by batch size, and against accuracy."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from gaikan.figures.colours import INK, PALETTE, QUIET
from gaikan.figures.style import MARKERS, labels, name_beside, sheet, styled
from gaikan.language.words import Language, Words, joined, placed, plain, said, say, threads_said
from gaikan.run_folder.latency_files import figure_places
from gaikan.run_folder.latency_rows import Row, runtime_of
from gaikan.selection.constraint_words import digits

_ABREAST = 2  # panels side by side; more would be too small on a page


def latency_figures(rows: list[Row], language: Language = "en") -> dict[str, Figure]:
    """The figures that can be drawn from the rows, by file name."""
    timed = [row for row in rows if row.p50_ms is not None]
    figures = {}
    for suffix, (machine, device, decode) in figure_places(rows).items():
        place = machine, device, decode
        own = [r for r in timed if (r.machine, r.device, r.includes_decode) == place]
        inside = [say("decoding_inside")] if decode else []
        where = joined([plain(machine), plain(device), *inside], say("comma"))
        for name, draw in _DRAWN.items():
            if draw is not pareto or any(row.accuracy is not None for row in own):
                title = say(f"timed_title_{name}", where=where)
                figures[f"{name}{suffix}"] = draw(own, title, language)
    return figures


def _by_computation(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """By computation, the rows of its first variant: variants that share it have the same times."""
    first: dict[str, str] = {}
    panels: dict[str, list[Row]] = {}
    for row in rows:
        if first.setdefault(row.computation, row.variant) == row.variant:
            panels.setdefault(row.computation, []).append(row)
    return panels


def _looks(rows: list[Row]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each runtime."""
    names = list(dict.fromkeys(runtime_of(row) for row in rows))
    return {n: (PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]) for i, n in enumerate(names)}


def _panels(figure: Figure, names: Iterable[str]) -> list[Axes]:
    """Axes with these titles, two side by side, under the figure's title."""
    titles = list(names)
    room = 1 - 0.4 / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, 0, 1, room), h_pad=0.08, w_pad=0.08)
    rows, columns = _shape(len(titles))
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[len(titles) :]:
        axes.set_axis_off()
    for axes, title in zip(panels, titles, strict=False):
        axes.set_title(labels([title])[title], size=9, loc="left")
    return panels[: len(titles)]


def _shape(count: int) -> tuple[int, int]:
    return -(-count // _ABREAST), min(count, _ABREAST)


def _logarithmic(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 times each power of ten, written out."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))


@styled
def latency_bars(rows: list[Row], title: str | Words, language: Language = "en") -> Figure:
    """Single images by runtime and threads: p50 as a bar, p99 as a tick; a panel per computation.

    A p99 beyond the axis is an arrow at its end; p50 and p99 stand beside the bar as numbers.
    """
    panels = _by_computation(row for row in rows if row.batch_size == 1)
    lines = max(len(panel) for panel in panels.values())
    down, across = _shape(len(panels))
    figure = sheet(1.9 + 3.1 * across, 0.5 + down * (0.8 + 0.22 * lines), said(title, language))
    settings = {tuple(_setting(row).en for row in panel) for panel in panels.values()}
    looks = _looks(rows)
    drawn = zip(_panels(figure, panels), panels.values(), strict=True)
    for number, (axes, panel) in enumerate(drawn):
        _latency_panel(axes, panel, [looks[runtime_of(row)][0] for row in panel], language)
        if len(settings) == 1 and number % _ABREAST:
            axes.tick_params(labelleft=False)
    return figure


def _latency_panel(axes: Axes, panel: list[Row], colours: list[str], language: Language) -> None:
    heights, medians = np.arange(len(panel)), [row.p50_ms or 0 for row in panel]
    axes.barh(heights, medians, color=colours, height=0.7)
    end = max(1.25 * max(medians), min(3 * max(medians), max(row.p99_ms or 0 for row in panel)))
    has_p99 = any(row.p99_ms is not None for row in panel)  # too few queries give none
    heading = f"{'p50':>6} {'p99' if has_p99 else '':>6}"
    _beside(axes, -0.8, heading)
    for height, row in enumerate(panel):
        if row.p99_ms is not None:
            beyond = row.p99_ms > end
            (tick,) = axes.plot(min(row.p99_ms, end), height, ">" if beyond else "|", color=INK)
            tick.set(markersize=4 if beyond else 7, markeredgewidth=1.5)
        figures = f"{digits(row.p50_ms):>6} {digits(row.p99_ms):>6}"
        _beside(axes, height, figures)
    axes.set_yticks(heights, [_setting(row).said(language) for row in panel])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(panel) - 0.5, -0.5)
    axes.set_xlim(0, 1.03 * end)
    axes.grid(axis="x")
    axes.set_xlabel(say("timed_across_p99" if has_p99 else "timed_across").said(language))


def _beside(axes: Axes, height: float, text: str) -> None:
    right = axes.get_yaxis_transform()
    axes.text(1.03, height, text, transform=right, va="center_baseline", size=7, family="monospace")


def _setting(row: Row) -> Words:
    return placed(runtime_of(row), row.threads)


@styled
def throughput_lines(rows: list[Row], title: str | Words, language: Language = "en") -> Figure:
    """Images a second by batch size on the most threads; a panel per computation."""
    most = max((row.threads or 0 for row in rows), default=0)
    panels = _by_computation(row for row in rows if row.threads in (None, most))
    down, across = _shape(len(panels))
    if most:
        title = say("timed_on", title=title, threads=threads_said(most))
    figure = sheet(0.9 + 3.4 * across, 1.0 + 2.6 * down, said(title, language))
    drawn = _panels(figure, panels)
    for axes, panel in zip(drawn, panels.values(), strict=True):
        for runtime, (colour, marker) in _looks(rows).items():
            line = [row for row in panel if runtime_of(row) == runtime]
            if line:
                sizes = [row.batch_size or 0 for row in line]
                speeds = [row.images_per_s or 0 for row in line]
                axes.plot(sizes, speeds, color=colour, marker=marker, ms=5, lw=1.2, label=runtime)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        sizes = sorted({row.batch_size or 0 for row in panel})
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        _logarithmic(axes.yaxis)
        axes.grid(axis="y")
        axes.set_xlabel(say("batch_across").said(language))
        axes.set_ylabel(say("batch_up").said(language))
    handles, names = drawn[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
    return figure


@styled
def pareto(rows: list[Row], title: str | Words, language: Language = "en") -> Figure:
    """Accuracy in the runtime itself against p50 of single images; a line is the Pareto front.

    A variant is named at its fastest point on that line.
    """
    most = max((row.threads or 0 for row in rows), default=0)
    single = [r for r in rows if r.batch_size == 1 and r.threads in (None, most)]
    points = [(row.p50_ms or 0, row.accuracy, row) for row in single if row.accuracy is not None]
    title = say("timed_singly", title=title)
    if most:
        title = say("timed_on", title=title, threads=threads_said(most))
    figure = sheet(7.4, 5.4, said(title, language))
    (axes,) = _panels(figure, [""])
    for runtime, (colour, marker) in _looks(rows).items():
        xy = [(x, y) for x, y, row in points if runtime_of(row) == runtime]
        if xy:
            axes.plot(*zip(*xy, strict=True), marker, color=colour, markersize=6, label=runtime)
    best = [points[i] for i in pareto_front([(x, y) for x, y, _ in points])]
    if best:
        front = np.array([(x, y) for x, y, _ in best]).T
        name = say("front").said(language)
        axes.step(*front, where="post", color=QUIET, linewidth=1, zorder=1, label=name)
    axes.set_xscale("log")
    axes.margins(0.1)
    _logarithmic(axes.xaxis)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid()
    axes.set_xlabel(say("front_across").said(language))
    axes.set_ylabel(say("front_up").said(language))
    figure.legend(loc="outside lower center", ncols=3)
    named: dict[str, tuple[float, float]] = {}
    for x, y, row in best:
        named.setdefault(row.variant, (x, y))
    figure.draw_without_rendering()
    if named:
        everything = np.array([(x, y) for x, y, _ in points])
        names = list(labels(named, columns=44).values())
        name_beside(axes, np.array(list(named.values())), names, everything)
    return figure


_DRAWN = {"latency": latency_bars, "throughput": throughput_lines, "pareto": pareto}


def pareto_front(points: list[tuple[float, float]]) -> list[int]:
    """Indices of the points (latency, accuracy) that no other beats in both, fastest first."""
    front: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if not front or points[i][1] > points[front[-1]][1]:
            front.append(i)
    return front
