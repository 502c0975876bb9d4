"""A map of what is picked at which latency budget and escape ceiling."""

from itertools import groupby

from gaikan.figures.colours import INK, PALETTE, QUIET
from gaikan.figures.svg import Drawing, width_of
from gaikan.language.words import Words, plain, say
from gaikan.run_folder.picks_file import StagePicks
from gaikan.selection.constraint_words import called, worded

_LEFT, _TOP, _HIGH = 78, 62, 34
_NONE = "#e8e8e8"


def sensitivity_map(name: str, stage: StagePicks) -> str:
    """The map as SVG: ceilings down, budgets across; the stage's own limits are framed."""
    grid = stage.sensitivity
    columns = _columns(grid.picks)
    variants = list(dict.fromkeys(v for row in grid.picks for v in row if v is not None))
    wide = max(64.0, min(200.0, 700 / len(columns)))
    bottom = _TOP + _HIGH * len(grid.ceilings)
    legend: list[str | None] = [*variants]
    legend += [None] * any(None in row for row in grid.picks)
    title = say("map_title", stage=name)
    width = max(_LEFT + wide * len(columns) + 30, width_of(title, 16) + 30, 560)
    drawing = Drawing(width, bottom + 62 + 20 * len(legend), title)
    drawing.text(14, 24, title, size=16, weight="bold")
    if grid.escape is not None:
        words = say("map_at_most", name=called(grid.escape))
        drawing.text(14, _TOP - 14, words, size=11, fill=QUIET)
    for down, (ceiling, row) in enumerate(zip(grid.ceilings, grid.picks, strict=True)):
        top = _TOP + _HIGH * down
        if ceiling is not None and grid.escape is not None:
            text = worded(grid.escape, ceiling)
            drawing.text(_LEFT - 8, top + _HIGH / 2, text, size=12, anchor="end")
        _row(drawing, [row[i] for i in columns], variants, top, wide)
    for across, i in enumerate(columns):
        text = f"{grid.budgets[i]:g}"
        drawing.text(_LEFT + wide * across, bottom + 14, text, size=12, anchor="middle")
    words = say("map_across", name=called(grid.latency))
    drawing.text(_LEFT, bottom + 34, words, size=11, fill=QUIET)
    _frame(drawing, stage, columns, wide)
    for number, variant in enumerate(legend):
        middle = bottom + 58 + 20 * number
        fill, opacity = _look(variant, variants)
        drawing.box(_LEFT, middle - 7, 14, 14, fill, radius=2, opacity=opacity)
        drawing.text(_LEFT + 22, middle, _name(variant), size=12)
    return drawing.to_svg()


def _columns(picks: list[list[str | None]]) -> list[int]:
    """Indices of the budgets at which the variant picked changes under some ceiling."""
    columns = list(zip(*picks, strict=True))
    return [i for i, column in enumerate(columns) if i == 0 or column != columns[i - 1]]


def _name(variant: str | None) -> Words:
    return say("map_nothing") if variant is None else plain(variant)


def _look(name: str | None, variants: list[str]) -> tuple[str, float]:
    """(colour, opacity) of a variant; where colours repeat, the opacity is lower."""
    if name is None:
        return _NONE, 1.0
    turn, number = divmod(variants.index(name), len(PALETTE))
    return PALETTE[number], 0.55 / (1 + turn)


def _row(
    drawing: Drawing,
    row: list[str | None],
    variants: list[str],
    top: float,
    wide: float,
) -> None:
    """Draws neighbouring cells of one variant as one box, with its name where that fits."""
    left = float(_LEFT)
    for name, span in groupby(row):
        length = wide * len(list(span))
        fill, opacity = _look(name, variants)
        drawing.box(left, top, length, _HIGH, fill, "#ffffff", radius=0, opacity=opacity)
        if width_of(_name(name), 11) < length - 10:
            drawing.text(left + 8, top + _HIGH / 2, _name(name), size=11)
        left += length


def _frame(drawing: Drawing, stage: StagePicks, columns: list[int], wide: float) -> None:
    """A frame around the cell that the stage's own limits fall in."""
    grid, limits = stage.sensitivity, {limit.name: limit.max for limit in stage.constraints}
    most = limits.get(grid.latency)
    last = len(grid.budgets) - 1 if most is None else grid.budgets.index(most)
    across = max(position for position, i in enumerate(columns) if i <= last)
    ceiling = None if grid.escape is None else limits[grid.escape]
    top = _TOP + _HIGH * grid.ceilings.index(ceiling)
    drawing.box(_LEFT + wide * across + 1, top + 1, wide - 2, _HIGH - 2, "none", INK, radius=2)
