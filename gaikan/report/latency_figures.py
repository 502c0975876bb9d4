"""Figures of latency: by runtime, by batch size, and against accuracy."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from gaikan.report.latency_tables import digits, runtime_of
from gaikan.report.style import INK, MARKERS, PALETTE, QUIET, labels, sheet, styled
from gaikan.timing.rows import Row

_PANEL = 3.0  # inches


def latency_figures(rows: list[Row]) -> dict[str, tuple[str, Figure]]:
    """File name, title and figure of all that the rows hold."""
    timed = [row for row in rows if row.p50_ms is not None]
    machines = list(dict.fromkeys((row.machine, row.device) for row in timed))
    figures = {}
    for number, (machine, device) in enumerate(machines):
        own = [row for row in timed if (row.machine, row.device) == (machine, device)]
        where = f"{machine}, {device}"
        suffix = "" if number == 0 else f"-{number + 1}"
        for name, title, draw in (
            ("latency", "One image at a time", latency_bars),
            ("throughput", "Throughput by batch size", throughput_lines),
            ("pareto", "Accuracy and latency", pareto),
        ):
            if draw is not pareto or any(row.accuracy is not None for row in own):
                figures[f"{name}{suffix}"] = (f"{title}, {where}", draw(own, f"{title}, {where}"))
    return figures


def _by_computation(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows of one variant of each computation: the others share its figures."""
    first: dict[str, str] = {}
    found: dict[str, list[Row]] = {}
    for row in rows:
        if first.setdefault(row.computation, row.variant) == row.variant:
            found.setdefault(row.computation, []).append(row)
    return found


def _looks(rows: list[Row]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each runtime."""
    names = list(dict.fromkeys(runtime_of(row) for row in rows))
    return {n: (PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]) for i, n in enumerate(names)}


def _panels(figure: Figure, count: int, top: float) -> list[Axes]:
    room = 1 - top / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, 0, 1, room))
    axes = figure.subplots(1, count, squeeze=False)
    return list(axes[0])


@styled
def latency_bars(rows: list[Row], title: str) -> Figure:
    """p50 as a bar and p99 as a tick, single images, by runtime and threads; a panel each model."""
    panels = _by_computation(row for row in rows if row.batch_size == 1)
    lines = max(len(panel) for panel in panels.values())
    figure = sheet(1.2 + _PANEL * len(panels), 1.1 + 0.24 * lines, title)
    for axes, (name, panel) in zip(_panels(figure, len(panels), 0.4), panels.items(), strict=True):
        looks = _looks(rows)
        places = np.arange(len(panel))
        axes.barh(
            places,
            [row.p50_ms or 0 for row in panel],
            color=[looks[runtime_of(row)][0] for row in panel],
            height=0.7,
        )
        tails = [(row.p99_ms, place) for row, place in zip(panel, places, strict=True)]
        axes.plot(
            [tail for tail, _ in tails if tail is not None],
            [place for tail, place in tails if tail is not None],
            "|",
            color=INK,
            markersize=9,
            markeredgewidth=1.5,
        )
        axes.set_yticks(places, [f"{runtime_of(r)}, {r.threads or 'GPU'}" for r in panel])
        if axes.get_subplotspec().colspan.start > 0:  # type: ignore[union-attr]
            axes.tick_params(labelleft=False)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.grid(axis="x")
        axes.set_title(labels([name])[name], size=9, loc="left")
        axes.set_xlabel("milliseconds: bar p50, tick p99")
    return figure


@styled
def throughput_lines(rows: list[Row], title: str) -> Figure:
    """Images a second by batch size on the most threads; a panel each model."""
    most = max((row.threads or 0 for row in rows), default=0)
    panels = _by_computation(row for row in rows if row.threads in (None, most))
    figure = sheet(0.8 + _PANEL * len(panels), 3.6, f"{title}, {most} threads" if most else title)
    looks = _looks(rows)
    for axes, (name, panel) in zip(_panels(figure, len(panels), 0.4), panels.items(), strict=True):
        for runtime, (colour, marker) in looks.items():
            line = [row for row in panel if runtime_of(row) == runtime]
            if line:
                axes.plot(
                    [row.batch_size or 0 for row in line],
                    [row.images_per_s or 0 for row in line],
                    color=colour,
                    marker=marker,
                    markersize=5,
                    linewidth=1.2,
                    label=runtime,
                )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        sizes = sorted({row.batch_size or 0 for row in panel})
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.grid(axis="y", which="both")
        axes.set_title(labels([name])[name], size=9, loc="left")
        axes.set_xlabel("images a batch")
    first = figure.axes[0]
    first.set_ylabel("images a second")
    handles, names = first.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(5, len(names)))
    return figure


@styled
def pareto(rows: list[Row], title: str) -> Figure:
    """Accuracy in the runtime itself against p50, single images; a line joins the best."""
    most = max((row.threads or 0 for row in rows), default=0)
    single = [r for r in rows if r.batch_size == 1 and r.threads in (None, most)]
    points = [(row.p50_ms or 0, row.accuracy, row) for row in single if row.accuracy is not None]
    figure = sheet(6.6, 4.6, f"{title}, single images" + (f", {most} threads" if most else ""))
    (axes,) = _panels(figure, 1, 0.4)
    for runtime, (colour, marker) in _looks(rows).items():
        own = [(x, y) for x, y, row in points if runtime_of(row) == runtime]
        if own:
            axes.plot(*zip(*own, strict=True), marker, color=colour, markersize=6, label=runtime)
    front = pareto_front([(x, y) for x, y, _ in points])
    if front:
        axes.step(
            [points[i][0] for i in front],
            [points[i][1] for i in front],
            where="post",
            color=QUIET,
            linewidth=1,
            zorder=1,
            label="Pareto front",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: digits(value, 1)))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.grid()
    axes.set_xlabel("p50, milliseconds")
    axes.set_ylabel("test accuracy in that runtime")
    figure.legend(loc="outside lower center", ncols=3)
    _name_front(axes, [(points[i][0], points[i][1], points[i][2].variant) for i in front])
    return figure


def pareto_front(points: list[tuple[float, float]]) -> list[int]:
    """Indices of the points (latency, accuracy) that no other beats in both, fastest first."""
    front: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if not front or points[i][1] > points[front[-1]][1]:
            front.append(i)
    return front


def _name_front(axes: Axes, front: list[tuple[float, float, str]]) -> None:
    for x, y, name in front:
        axes.annotate(
            labels([name])[name],
            (x, y),
            xytext=(4, 5),
            textcoords="offset points",
            size=7,
            rotation=0,
        )
