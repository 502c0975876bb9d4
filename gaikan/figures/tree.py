"""どれを選ぶ? For who decides: style, architecture, anchor, and which is picked at which stage."""

from dataclasses import dataclass
from importlib.resources import files
from statistics import fmean
from typing import NamedTuple

from gaikan.figures.colours import INK, PALETTE, QUIET, RULE
from gaikan.figures.svg import Drawing, width_of
from gaikan.language.words import Words, say
from gaikan.run_folder.picks_file import PicksFile, StagePicks
from gaikan.selection.candidates import Judging
from gaikan.selection.constraint_words import measured_value, worded
from gaikan.selection.promise import networks_of
from gaikan.selection.quality import quality
from gaikan.variants import Variant

_ROW, _LINE, _TOP, _PAD = 27, 18, 104, 14
_COLUMNS = (0, 22, 104, 190)  # left ends of root, style, architecture, anchor, at least
_BEND = 24  # between a name and the next column
_LEVELS = ("tree_style", "tree_network", "tree_anchor")  # keys of their names
_SAID = 12  # size of the text below


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
    columns = _columns(shown)
    marks = _marks(shown, picks.stages, columns[3])
    names = [_end(columns[3], leaf.parts.anchor) for leaf in shown]
    figures = max([*names, *(mark.left + mark.width for mark in marks)]) + 18
    with_ok = judging.run.ok is not None
    times = figures + (232 if with_ok else 150)  # the right end of the last column
    notes = [_note(name, stage) for name, stage in picks.stages.items()]
    about = _about(shown, judging)
    lines = [*about, *(line for note in notes for line in note)]
    width = max(times + 8, *(width_of(line, _SAID) + 34 for line in lines)) + _PAD
    height = _TOP + _ROW * len(shown) + 18 + _LINE * len(lines) + 6 * len(notes) + 8
    drawing = Drawing(width, height, say("tree_title"))
    outline = files("gaikan.report").joinpath("templates/dore-wo-erabu.path").read_text("utf-8")
    drawing.outline(outline.replace("\n", " "), 14, 12, 0.03)
    drawing.text(192, 30, say("tree_title"), size=16, weight="bold")
    _branches(drawing, shown, picks.stages, columns)
    _figures(drawing, shown, figures, times, with_ok)
    for mark in marks:
        _flag(drawing, mark)
    _footer(drawing, _TOP + _ROW * len(shown) + 18, about, notes)
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
    return left + 1.18 * width_of(words) + 8


def _branches(
    drawing: Drawing, shown: list[Leaf], stages: dict[str, StagePicks], columns: list[float]
) -> None:
    """Nodes and the lines between them; the way from the root to a pick has its stage's colour."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, leaf in enumerate(shown):
        for depth in range(4):
            rows.setdefault(leaf.path[:depth], []).append(row)
    middles = {node: _middle((own[0] + own[-1]) / 2) for node, own in rows.items()}
    words = {node: node[-1] if node else "" for node in rows}
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
        drawing.text(columns[depth] + 4, _TOP - 16, say(_LEVELS[depth - 1]), size=11, fill=QUIET)


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
    for name, right in titles.items():
        if with_ok or name != "escapes":
            words = say(f"tree_{name}")
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
    """A mark for each stage that has a pick, beside the name in the column `left`.

    Several on one row stand side by side.
    """
    rows = {leaf.parts.name: row for row, leaf in enumerate(shown)}
    marks: list[Mark] = []
    for number, (name, stage) in enumerate(stages.items()):
        if stage.pick is not None:
            row = rows[stage.pick.variant]
            name_ends = _end(left, shown[row].parts.anchor)
            before = [mark.left + mark.width + 6 for mark in marks if mark.row == row]
            marks.append(
                Mark(name, _colour(number), row, max([name_ends, *before]), width_of(name) + 16)
            )
    return marks


def _flag(drawing: Drawing, mark: Mark) -> None:
    middle, centre = _middle(mark.row), mark.left + mark.width / 2
    drawing.box(mark.left, middle - 11, mark.width, 22, mark.colour, radius=11)
    drawing.text(centre, middle, mark.stage, fill="#ffffff", anchor="middle", weight="bold")


def _note(name: str, stage: StagePicks) -> list[Words]:
    """What was picked, and its test figures with its own threshold, in a line each."""
    pick = stage.pick
    if pick is None:
        return [say("tree_nothing", stage=name)]
    p50 = measured_value("p50_ms", pick.timing.p50_ms)
    figures = {"accuracy": _percent(pick.test.accuracy), "escapes": _percent(pick.test.escape_rate)}
    return [
        say("tree_pick", stage=name, variant=pick.variant, place=pick.place, p50=p50),
        say("tree_escaping" if figures["escapes"] else "tree_accurate", **figures),
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _about(shown: list[Leaf], judging: Judging) -> list[Words]:
    """What the figures are."""
    seeds = len({network.seed for network in judging.run.networks})
    key = "tree_figures_mean" if seeds > 1 else "tree_figures"
    return [say(key, n=len(shown), seeds=seeds), say("tree_times")]


def _footer(drawing: Drawing, top: float, about: list[Words], notes: list[list[Words]]) -> None:
    for line in about:
        drawing.text(_PAD, top, line, size=11, fill=QUIET)
        top += _LINE
    for number, note in enumerate(notes):
        top += 6
        drawing.box(_PAD, top - 6, 12, 12, _colour(number), radius=6)
        for line in note:
            drawing.text(_PAD + 20, top, line, size=_SAID, fill=INK)
            top += _LINE
