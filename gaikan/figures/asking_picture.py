"""How many fewer defective parts escape if a person looks at a few of the parts called good.

Those of known modes, on validation and on test, and those of modes that training has not seen.
"""

from gaikan.config.stages import CEILINGS
from gaikan.figures.colours import INK, QUIET
from gaikan.figures.plane import Plane
from gaikan.figures.svg import Drawing, width_of
from gaikan.language.words import say
from gaikan.run_folder.picks_file import AskingPoint, StagePicks

_LEFT, _TOP, _WIDE, _HIGH, _STEP = 38, 100, 330, 260, 19
_BAND = "#d5d5d5"
_LOOKS = {"validation": (INK, 2.6, ""), "test": (QUIET, 2.0, "7 4")}  # told apart in grey


def asking_picture(name: str, stage: StagePicks) -> str | None:
    """The picture of a stage as SVG; None where there is no good class, or no defective part."""
    chosen, curve = stage.pick or stage.nearest_miss, stage.asking_curve
    drawn = [point for point in curve if _height(point) is not None]
    if chosen is None or not drawn:
        return None
    unseen = [point for point in drawn if point.split == "validation" and point.unseen_mode]
    heights = [_height(point) or 0.0 for point in drawn]
    highest = 1.15 * max([*heights, *(point.unseen_worst or 0.0 for point in unseen)])
    limits = [limit.max for limit in stage.constraints if limit.name in CEILINGS]
    ceilings = [limit for limit in limits if limit is not None]
    most = max(point.share for point in curve)
    top = 1.15 if unseen else 1.0  # the worst of them often lets nearly all through
    room = min(top, max([0.01, highest, *(1.3 * limit for limit in ceilings)]))
    plane = Plane(_LEFT, _TOP, _WIDE, _HIGH, (most, room))
    title = say("asking_title", stage=name)
    wide = max(_LEFT + _WIDE + 30, width_of(title, 16) + 30)
    drawing = Drawing(wide, _TOP + _HIGH + 110 + _STEP * bool(unseen), title)
    drawing.text(14, 24, title, size=16, weight="bold")
    drawing.text(14, 48, say("asking_who"), size=12, fill=QUIET)
    finds = say("asking_finds", variant=chosen.variant)
    drawing.text(14, 64, finds, size=12, fill=QUIET)
    _unseen_band(drawing, plane, unseen)
    plane.axes(drawing, say("asking_across"), say("curves_up"))
    for limit in ceilings:
        y = plane.up(limit)
        drawing.path(f"M{_LEFT} {y:.1f}h{_WIDE}", INK, 1.2, "2 4")
        words = say("at_ceiling", share=f"{100 * limit:g}")
        drawing.text(_LEFT + _WIDE - 4, y - 9, words, size=11, anchor="end", weight="bold")
    for number, side in enumerate(_LOOKS):
        _curve(drawing, plane, [point for point in drawn if point.split == side], number)
    _own_share(drawing, plane, stage)
    return drawing.to_svg()


def _height(point: AskingPoint) -> float | None:
    """On validation the bound, which the ceiling limits; on test what was seen."""
    return point.escape_bound if point.split == "validation" else point.escape_rate


def _curve(drawing: Drawing, plane: Plane, points: list[AskingPoint], number: int) -> None:
    """A side's curve with a dot a share that was tried, and its line of the legend."""
    if not points:
        return
    side = points[0].split
    places = [(plane.across(p.share), plane.up(_height(p) or 0.0)) for p in points]
    drawing.path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), *_LOOKS[side])
    for x, y in places:
        fill = INK if side == "validation" else "#ffffff"
        drawing.box(x - 3.5, y - 3.5, 7, 7, fill, INK, radius=3.5)
    middle = _legend(number)
    drawing.path(f"M{_LEFT} {middle}h34", *_LOOKS[side])
    drawing.text(_LEFT + 44, middle, say(f"asking_on_{side}"), size=12)


def _unseen_band(drawing: Drawing, plane: Plane, points: list[AskingPoint]) -> None:
    """Between the mean and the worst of the failure modes that training has not seen."""
    if not points:
        return
    across = [plane.across(point.share) for point in points]
    edges = [
        [f"{x:.1f} {plane.up(share or 0.0):.1f}" for x, share in zip(across, shares, strict=True)]
        for shares in ([p.unseen_worst for p in points], [p.unseen_mean for p in points])
    ]
    drawing.area("M" + "L".join([*edges[0], *reversed(edges[1])]) + "Z", _BAND)
    for edge in edges:
        drawing.path("M" + "L".join(edge), QUIET, 1)
    middle = _legend(len(_LOOKS))
    drawing.box(_LEFT, middle - 6, 34, 12, _BAND, QUIET, radius=0)
    drawing.text(_LEFT + 44, middle, say("asking_unseen"), size=12)


def _legend(number: int) -> float:
    """The middle of a line of the legend."""
    return _TOP + _HIGH + 54 + number * _STEP


def _own_share(drawing: Drawing, plane: Plane, stage: StagePicks) -> None:
    """What the stage asks for itself."""
    for limit in stage.constraints:
        if limit.name == "ask_rate" and limit.max is not None:
            x = plane.across(limit.max)
            drawing.path(f"M{x:.1f} {plane.top}V{plane.top + plane.height}", INK, 1.2, "6 4")
            words = say("asks_share", share=f"{100 * limit.max:g}")
            drawing.text(x + 5, plane.top + 10, words, size=11)
