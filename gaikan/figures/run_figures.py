"""Samples, accuracy, scatter and confusion matrix; each from arrays or a table to a Figure."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.figures import style
from gaikan.figures.colours import INK, PALETTE, QUIET, RULE
from gaikan.figures.thumbnails import Pixels, as_rgb, thumbnail
from gaikan.language.words import Language, Words, said, say

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

MARKS = {"anchor": "o", "head": "D", "reference": "s"}
MANY = 16  # classes; the names of more anchors would cover the plot
CROWDED = 25  # classes; cells of a larger confusion matrix are too small for numbers


@style.styled
def sample_grid(frames: Frames, per_class: int = 8, language: Language = "en") -> Figure:
    """One row per class: its name, its count, and up to `per_class` of its images, evenly picked.

    Images keep their pixels: small ones are enlarged by a whole number, large ones are averaged
    down. All share one intensity scale: 0..255 for uint8, the 1st to 99th percentile of the images
    shown for float32.
    """
    picks = [_pick(frames, label, per_class) for label in range(len(frames.classes))]
    shown, scale = as_rgb(frames.images[np.concatenate(picks)])
    side = 128 if len(picks) <= 12 else 84
    small = [thumbnail(image, side) for image in shown]
    strips = _strips(np.stack(small), [len(pick) for pick in picks])
    names = style.labels(frames.classes)
    counts = np.bincount(frames.labels, minlength=len(picks))
    texts = [(names[name], f"n = {n}") for name, n in zip(frames.classes, counts, strict=True)]
    return _labelled_strips(strips, texts, scale.said(language))


def _pick(frames: Frames, label: int, count: int) -> Index:
    """Up to `count` images of a class, evenly from each of as many groups as there is room for."""
    index = np.flatnonzero(frames.labels == label)
    if frames.groups is None or not len(index):
        return index[_evenly(len(index), count)]
    index = index[np.argsort(frames.groups[index], kind="stable")]
    groups = frames.groups[index]
    by_group = np.split(index, np.flatnonzero(groups[1:] != groups[:-1]) + 1)
    by_group = sorted((by_group[i] for i in _evenly(len(by_group), count)), key=len)
    picked: list[Index] = []
    for position, group_rows in enumerate(by_group):
        room = count - sum(map(len, picked))
        picked.append(group_rows[_evenly(len(group_rows), room // (len(by_group) - position))])
    return np.sort(np.concatenate(picked))


def _evenly(n: int, count: int) -> Index:
    return np.linspace(0, n - 1, min(n, count)).round().astype(np.int64)


def _strips(images: Pixels, counts: list[int]) -> Pixels:
    """Images (N, H, W, 3) side by side on white, framed by hairlines; strip i has `counts[i]`.

    The result is (strips, H', W', 3).
    """
    height, width = images.shape[1:3]
    tall, wide = max(height + 10, 48), width + 10
    top = (tall - height) // 2
    strips = np.full((len(counts), tall, max(counts) * wide, 3), 255, dtype=np.uint8)
    places = [(row, 5 + column * wide) for row, n in enumerate(counts) for column in range(n)]
    for image, (row, left) in zip(images, places, strict=True):
        strips[row, top - 1 : top + height + 1, left - 1 : left + width + 1] = 190
        strips[row, top : top + height, left : left + width] = image
    return strips


def _labelled_strips(strips: Pixels, texts: list[tuple[str, str]], scale: str) -> Figure:
    """The strips below each other at their own pixels, each with its name and count at the left."""
    rows, tall, wide = strips.shape[:3]
    widest = style.text_inches([text for pair in texts for text in pair], 9)[:, 0].max()
    margin = np.ceil((widest + 0.2) * style.DPI) / style.DPI
    across = max(margin + wide / style.DPI, style.text_inches([scale], 8)[0, 0] + 0.2)
    figure = style.sheet(across, rows * tall / style.DPI + 0.25)
    axes = style.fixed(figure, margin, 0.25, wide / style.DPI, rows * tall / style.DPI)
    axes.set_axis_off()
    axes.imshow(strips.reshape(rows * tall, wide, 3), interpolation="nearest", aspect="auto")
    left = (0.1 - margin) * style.DPI
    for row, (name, count) in enumerate(texts):
        middle = (row + 0.5) * tall
        axes.text(left, middle - 2, name, va="bottom")
        axes.text(left, middle + 2, count, va="top", size=8, color=QUIET)
    axes.text(left, rows * tall + 8, scale, va="top", size=8, color=QUIET)
    return figure


@style.styled
def embedding_scatter(
    points: Floats,
    names: NDArray[np.str_],
    anchors: Floats,
    anchor_names: tuple[str, ...],
    explained: Floats,
    title: str | Words,
    language: Language = "en",
) -> Figure:
    """Embeddings of one network in the plane of their first two principal components.

    `points` (N, 2) with class `names` (N,), `anchors` (K, 2) with `anchor_names`, and `explained`
    (2,), the share of the variance along each axis in 0..1, as `pca.project` gives them. Both axes
    have one scale, so that distances in the picture compare. Anchors carry their class's name, or
    its number in the legend where there are more than `MANY`.
    """
    strangers = sorted(set(names.tolist()) - set(anchor_names))
    classes = style.labels([*anchor_names, *strangers])
    looks = {name: (PALETTE[i % 7], style.MARKERS[i % 10]) for i, name in enumerate(classes)}
    counts = {name: int((names == name).sum()) for name in classes}
    shown = [(classes[n], counts[n], *looks[n]) for n in classes]
    figure, axes = _scatter_page(
        shown, said(title, language), say("embedded_anchor").said(language)
    )
    size = float(np.clip(30000 / len(names), 8, 36))
    for name in sorted(classes, key=lambda name: -counts[name]):
        colour, marker = looks[name]
        x, y = points[names == name].T
        axes.scatter(x, y, s=size, color=colour, marker=marker, alpha=0.6, linewidths=0)
    for anchor, name in zip(anchors, anchor_names, strict=True):
        _anchor(axes, anchor, *looks[name], size=130 if len(anchors) <= MANY else 60)
    for axis, number, share in ((axes.xaxis, 1, explained[0]), (axes.yaxis, 2, explained[1])):
        words = say("embedded_axis", number=number, share=f"{100 * share:.0f}")
        axis.set_label_text(words.said(language))
    texts = [classes[name] for name in anchor_names]
    if len(texts) > MANY:
        texts = [str(number) for number, _ in enumerate(texts, start=1)]
    figure.draw_without_rendering()
    style.name_beside(axes, anchors, texts)
    return figure


def _scatter_page(
    looks: list[tuple[str, int, str, str]], title: str, anchor: str
) -> tuple[Figure, Axes]:
    """An empty plane beside its legend; for each class its label, count, colour and marker."""
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="") for _, _, colour, marker in looks
    ]
    handles.append(Line2D([], [], color="white", marker="o", linestyle="", mec="black", ms=9))
    # The space in front: matplotlib leaves labels that begin with "_" out of a legend.
    entries = [f" {label} ({count})" for label, count, _, _ in looks]
    if len(entries) > MANY:
        entries = [f" {number}:{entry}" for number, entry in enumerate(entries, start=1)]
    entries.append(f" {anchor}")
    columns = -(-len(entries) // 26)
    width = 5.6 + columns * (style.text_inches(entries, 8)[:, 0].max() + 0.45)
    figure = style.sheet(width, 5.3, title)
    axes = style.flowing(figure, below_title=0.25)
    axes.legend(handles, entries, loc="upper left", bbox_to_anchor=(1.01, 1), ncols=columns)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    axes.grid()
    return figure, axes


def _anchor(axes: Axes, point: Floats, colour: str, marker: str, size: float) -> None:
    mark = axes.scatter(point[0], point[1], s=size, color=colour, marker=marker, zorder=3)
    mark.set(edgecolor="black", linewidth=1.3)
    mark.set_path_effects([withStroke(linewidth=4, foreground="white")])


@style.styled
def accuracy_bars(table: pd.DataFrame, language: Language = "en") -> Figure:
    """Accuracy of each variant with its 95 % interval as an error bar, best first.

    Columns: `variant`, `accuracy`, `low`, `high` (0..1; NaN where there is no interval), `tied`
    (may be the best) and `kind` ("anchor", "head" for a network's own softmax
    decision, or "reference"). Tied rows are filled and lie on a band; head rows are diamonds,
    references squares. Dots and not solid bars, because the axis does not start at 0.
    """
    table = table.sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)
    names = style.labels(table["variant"], columns=44)
    variants = [names[name] for name in table["variant"]]
    figure = style.sheet(style.text_inches(variants, 9)[:, 0].max() + 6, 1.1 + 0.26 * len(table))
    axes = style.flowing(figure, below_title=0)
    _accuracy_marks(axes, table, language)
    for row, figures in enumerate(_figures_of(table, language)):
        beside = axes.get_yaxis_transform()
        axes.text(1.02, row, figures, va="center_baseline", size=8, transform=beside)
    axes.set_yticks(range(len(table)), variants)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g}")
    axes.set_xlabel(say("bars_across").said(language))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _accuracy_marks(axes: Axes, table: pd.DataFrame, language: Language) -> None:
    for row in table.index[table["tied"]]:
        axes.axhspan(row - 0.5, row + 0.5, color="#eeeeee", linewidth=0, zorder=0)
    axes.hlines(table.index, table["low"], table["high"], color=INK, linewidth=1.3)
    for (kind, marker), tied in product(MARKS.items(), (True, False)):
        part = table[(table["kind"] == kind) & (table["tied"] == tied)]
        if len(part):
            words = say(f"standing_{kind}_{'tied' if tied else 'behind'}").said(language)
            (line,) = axes.plot(part["accuracy"], part.index, marker, label=words, markersize=6)
            line.set(markeredgecolor=INK, markerfacecolor=PALETTE[0] if tied else "white")
    ends = table[["low", "accuracy", "high"]].to_numpy(float)
    high = np.nanmax(ends)
    low = min(np.nanmin(ends), high - 0.04)
    axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _figures_of(table: pd.DataFrame, language: Language) -> list[str]:
    """Accuracy and interval of each row in % as text."""
    rows = 100 * table[["accuracy", "low", "high"]].to_numpy(float)
    return [
        f"{mean:.1f}" + ("" if np.isnan(low) else f"   {_interval(low, high).said(language)}")
        for mean, low, high in rows
    ]


def _interval(low: float, high: float) -> Words:
    return say("bars_interval", low=f"{low:.1f}", high=f"{high:.1f}")


@style.styled
def confusion_heatmap(
    matrix: pd.DataFrame, title: str | Words, language: Language = "en"
) -> Figure:
    """Counts of a confusion matrix, coloured by their share of the row.

    `matrix` holds integers; its index has the actual classes and its columns the predicted ones,
    which may be other classes. The cells of right answers are framed. Beyond `CROWDED` classes
    the numbers are left out.
    """
    counts = matrix.to_numpy(np.int64)
    totals = counts.sum(axis=1, keepdims=True)
    actual, predicted = matrix.index.map(str), matrix.columns.map(str)
    names = style.labels([*actual, *predicted])
    down = [f"{names[name]} ({n})" for name, n in zip(actual, totals[:, 0], strict=True)]
    most, digits = max(counts.shape), len(str(counts.max()))
    cell = 0.22 if most > CROWDED else max(min(0.8, 4 / most), 0.1 * digits, 0.36)
    across = [names[name] for name in predicted]
    figure, axes, beside = _matrix_page(down, across, cell, said(title, language))
    axes.set_xlabel(say("matrix_across").said(language))
    axes.set_ylabel(say("matrix_up").said(language))
    shares = counts / totals.clip(min=1)
    image = axes.imshow(shares, "Blues", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    bar = figure.colorbar(image, beside, format=PercentFormatter(1, symbol=" %"))
    bar.set_label(say("matrix_share").said(language))
    bar.outline.set_visible(False)
    for row, column in np.argwhere(np.equal.outer(actual.to_numpy(), predicted.to_numpy())):
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=INK, linewidth=0.9))
    colours = image.to_rgba(shares)
    for row, column in np.argwhere(counts > 0) if most <= CROWDED else ():
        colour = style.readable_on(colours[row, column, :3])
        number = axes.text(column, row, str(counts[row, column]), color=colour, ha="center")
        number.set_verticalalignment("center_baseline")
    return figure


def _matrix_page(
    down: list[str], across: list[str], cell: float, title: str
) -> tuple[Figure, Axes, Axes]:
    """A figure with axes for cells of `cell` inches, and axes for a colour bar."""
    points = 9 if cell > 0.3 else 8
    longest = style.text_inches(across, points)[:, 0].max()
    slanted = longest > 0.9 * cell
    below = 0.5 + (0.75 * longest - 0.05 if slanted else 0)
    left = 0.4 + max(style.text_inches(down, points)[:, 0].max(), 0.75 * longest - cell / 2)
    width, height = cell * len(across), max(cell * len(down), 1.7)
    figure = style.sheet(left + width + 1.1, below + height + 0.4, title)
    axes = style.fixed(figure, left, below, width, height)
    axes.set_xticks(range(len(across)), across, size=points)
    if slanted:
        axes.tick_params(axis="x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(down)), down, size=points)
    axes.set_xticks(np.arange(len(across) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(down) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=RULE)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return figure, axes, style.fixed(figure, left + width + 0.2, below, 0.14, height)
