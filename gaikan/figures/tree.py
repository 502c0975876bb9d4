"""どれを選ぶ? For who decides: style, architecture, anchor, and which is picked at which stage."""

from dataclasses import dataclass
from importlib.resources import files
from statistics import fmean
from typing import NamedTuple

from gaikan.figures.colours import INK, PALETTE, QUIET, RULE
from gaikan.figures.svg import Drawing, width_of
from gaikan.run_folder.picks_file import PicksFile, StagePicks
from gaikan.selection.candidates import Judging
from gaikan.selection.constraint_words import worded
from gaikan.selection.promise import networks_of
from gaikan.selection.quality import quality
from gaikan.variants import Variant

_ROW, _TOP, _PAD = 27, 104, 14
_COLUMNS = (14, 168, 290, 382)  # left ends of root, style, architecture, anchor, at least
_BEND = 24  # between a name and the next column
_TITLE = "Which one to install?"
_LEVELS = ("", "training style", "network", "anchor")


@dataclass(frozen=True)
class Leaf:
    """A variant with its test figures, means over seeds, and its fastest single image."""

    parts: Variant
    accuracy: float
    escape_rate: float | None
    p50_ms: float | None

    @property
    def path(self) -> tuple[str, str, str]:
        """Its nodes from the root on: style, architecture, anchor."""
        return self.parts.style, self.parts.arch, self.parts.anchor


def leaves(judging: Judging) -> list[Leaf]:
    """Every variant in the order of the run, but those of one branch together."""
    run = judging.run
    shown = []
    for parts in dict.fromkeys(network.parts for network in run.networks):
        variant = parts.name
        own = [network.test for network in networks_of(judging, variant)]
        tests = [quality(part, part.predicted, run.ok, judging.factory) for part in own]
        escapes = [tested.escape_rate for tested in tests if tested.escape_rate is not None]
        times = [r.p50_ms for r in run.rows if r.variant == variant and r.batch_size == 1]
        shown.append(
            Leaf(
                parts,
                fmean(tested.accuracy for tested in tests),
                fmean(escapes) if escapes else None,
                min((time for time in times if time is not None), default=None),
            )
        )
    styles, archs, _ = zip(*(leaf.path for leaf in shown), strict=True)
    return sorted(shown, key=lambda leaf: (styles.index(leaf.path[0]), archs.index(leaf.path[1])))


def tree(judging: Judging, picks: PicksFile) -> str:
    """The picture as SVG."""
    shown = leaves(judging)
    names = max(width_of(leaf.parts.anchor) for leaf in shown)
    columns = _columns(shown)
    figures = columns[3] + names + 30
    with_ok = judging.run.ok is not None
    times = figures + (232 if with_ok else 150)  # the right end of the last column
    marks = _marks(shown, picks.stages, times + 18)
    notes = [_note(name, stage) for name, stage in picks.stages.items()]
    ends = [mark.left + mark.width for mark in marks]
    width = max(times + 8, *ends, *(width_of(note, 12) + 34 for note in notes)) + _PAD
    height = _TOP + _ROW * len(shown) + 34 + 22 * len(notes) + 12
    drawing = Drawing(width, height, _TITLE)
    outline = files("gaikan.report").joinpath("templates/dore-wo-erabu.path").read_text("utf-8")
    drawing.outline(outline.replace("\n", " "), 14, 12, 0.03)
    drawing.text(192, 29, _TITLE, size=19, weight="bold")
    _branches(drawing, shown, picks.stages, columns)
    _figures(drawing, shown, figures, times, with_ok)
    for mark in marks:
        _flag(drawing, mark)
    _footer(drawing, shown, judging, notes)
    return drawing.to_svg()


def _middle(row: float) -> float:
    return _TOP + _ROW * (row + 0.5)


def _colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _columns(shown: list[Leaf]) -> list[float]:
    """Left ends of the four columns: as `_COLUMNS`, moved on where names are long."""
    columns: list[float] = [_COLUMNS[0], _COLUMNS[1]]
    for depth, least in enumerate(_COLUMNS[2:], start=1):
        ends = [_end(columns[depth], leaf.path[depth - 1]) for leaf in shown]
        columns.append(max(least, max(ends) + _BEND))
    return columns


def _end(left: float, words: str) -> float:
    """The right end of a node's text, with room for bold type."""
    return left + 1.1 * width_of(words) + 8


def _branches(
    drawing: Drawing, shown: list[Leaf], stages: dict[str, StagePicks], columns: list[float]
) -> None:
    """Nodes and the lines between them; the way from the root to a pick has its stage's colour."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, leaf in enumerate(shown):
        for depth in range(4):
            rows.setdefault(leaf.path[:depth], []).append(row)
    middles = {node: _middle((own[0] + own[-1]) / 2) for node, own in rows.items()}
    words = {node: node[-1] if node else f"{len(shown)} variants" for node in rows}
    right = [max(_end(columns[d], words[n]) for n in rows if len(n) == d) for d in range(4)]
    paths = {leaf.parts.name: leaf.path for leaf in shown}
    picks = [(number, stage.pick) for number, stage in enumerate(stages.values())]
    picked = [(number, paths[pick.variant]) for number, pick in picks if pick is not None]
    for node, middle in middles.items():
        if node:
            _line(drawing, right[len(node) - 1], middles[node[:-1]], columns[len(node)], middle)
    for shift, (number, path) in enumerate(picked):
        off = 3 * (shift - (len(picked) - 1) / 2)
        for depth in range(1, 4):
            start, end = middles[path[: depth - 1]], middles[path[:depth]]
            span = right[depth - 1], columns[depth]
            _line(drawing, span[0], start + off, span[1], end + off, _colour(number), 2.5, off)
    for node, middle in middles.items():
        depth = len(node)
        chosen = any(path[:depth] == node for _, path in picked)
        weight = "bold" if chosen and node else "normal"
        drawing.text(columns[depth] + 4, middle, words[node], weight=weight)
    for depth in range(1, 4):
        drawing.text(columns[depth] + 4, _TOP - 16, _LEVELS[depth], size=11, fill=QUIET)


def _line(
    drawing: Drawing,
    left: float,
    start: float,
    right: float,
    end: float,
    colour: str = "#bbbbbb",
    width: float = 1.2,
    shift: float = 0,
) -> None:
    bend = right - 16 + shift
    drawing.path(f"M{left:.1f} {start:.1f}H{bend:.1f}V{end:.1f}H{right:.1f}", colour, width)


def _figures(drawing: Drawing, shown: list[Leaf], left: float, times: float, with_ok: bool) -> None:
    """Columns beside the tree: accuracy as a bar, escape rate where a class means good, p50."""
    titles = {"accuracy": left + 62, "escapes": left + 150, "p50": times}
    for words, right in titles.items():
        if with_ok or words != "escapes":
            drawing.text(right, _TOP - 16, words, size=11, fill=QUIET, anchor="end")
    for row, leaf in enumerate(shown):
        middle = _middle(row)
        drawing.box(left, middle - 9, 66, 18, RULE, radius=2)
        drawing.box(left, middle - 9, 66 * leaf.accuracy, 18, "#9cc3dc", radius=2)
        drawing.text(left + 62, middle, _percent(leaf.accuracy), anchor="end")
        if with_ok:
            drawing.text(left + 150, middle, _percent(leaf.escape_rate), anchor="end")
        if leaf.p50_ms is not None:
            drawing.text(times, middle, worded("p50_ms", leaf.p50_ms), anchor="end")


class Mark(NamedTuple):
    """A flag with a stage's name beside its pick."""

    stage: str
    colour: str
    row: int
    left: float
    width: float


def _marks(shown: list[Leaf], stages: dict[str, StagePicks], left: float) -> list[Mark]:
    """A mark for each stage that has a pick; several on one row stand side by side."""
    rows = {leaf.parts.name: row for row, leaf in enumerate(shown)}
    marks: list[Mark] = []
    for number, (name, stage) in enumerate(stages.items()):
        if stage.pick is not None:
            row = rows[stage.pick.variant]
            before = [mark.left + mark.width + 6 for mark in marks if mark.row == row]
            marks.append(
                Mark(name, _colour(number), row, max([left, *before]), width_of(name) + 16)
            )
    return marks


def _flag(drawing: Drawing, mark: Mark) -> None:
    middle, centre = _middle(mark.row), mark.left + mark.width / 2
    drawing.box(mark.left, middle - 11, mark.width, 22, mark.colour, radius=11)
    drawing.text(centre, middle, mark.stage, fill="#ffffff", anchor="middle", weight="bold")


def _note(name: str, stage: StagePicks) -> str:
    """One line on what was picked, and its test figures with its own threshold."""
    pick = stage.pick
    if pick is None:
        return f"{name}: nothing qualifies"
    p50, escape_rate = worded("p50_ms", pick.timing.p50_ms), pick.test.escape_rate
    escapes = "" if escape_rate is None else f", escapes {_percent(escape_rate)}"
    return (
        f"{name}: {pick.variant} in {pick.place}, {p50}; as installed, on test: "
        f"accuracy {_percent(pick.test.accuracy)}{escapes}"
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _footer(drawing: Drawing, shown: list[Leaf], judging: Judging, notes: list[str]) -> None:
    top = _TOP + _ROW * len(shown) + 18
    seeds = len({network.seed for network in judging.run.networks})
    over = f", mean over {seeds} seeds" if seeds > 1 else ""
    words = f"Test figures by the nearest anchor{over}; p50: one image in the fastest runtime."
    drawing.text(_PAD, top, words, size=11, fill=QUIET)
    for number, note in enumerate(notes):
        middle = top + 24 + 22 * number
        drawing.box(_PAD, middle - 6, 12, 12, _colour(number), radius=6)
        drawing.text(_PAD + 20, middle, note, size=12, fill=INK)
