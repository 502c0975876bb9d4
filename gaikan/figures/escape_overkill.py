"""Escapes against overkill: what each border between good and defective would give, at a stage.

One curve a variant that the stage could have, the border that was picked, and what is asked of it;
beside them the pick by failure mode.
"""

from dataclasses import dataclass

import numpy as np

from gaikan.config.stages import CEILINGS, NAMES, TIMING
from gaikan.evaluation.statistics import LEVEL
from gaikan.figures.colours import INK, PALETTE, QUIET
from gaikan.figures.plane import Floats, Plane
from gaikan.figures.svg import Drawing, width_of
from gaikan.language.words import Words, plain, say
from gaikan.run_folder.decisions import DecidedParts, RunFiles
from gaikan.run_folder.picks_file import PickedCandidate, StagePicks
from gaikan.selection.candidates import Judging
from gaikan.selection.quality import decide, of_kind
from gaikan.selection.threshold import Borders

_PALE = "#cccccc"
_DASHES = ("", "8 3", "3 3", "10 3 2 3", "1 3")
_NAMED = 5  # curves with a colour, besides the pick's
_LEFT, _TOP, _WIDE, _HIGH, _GAP, _STEP = 38, 76, 330, 280, 70, 19
_LEGEND = _TOP + _HIGH + 50  # the middle of its first line
Look = tuple[str, float, str]  # colour, width, dash


@dataclass(frozen=True, eq=False)
class Curve:
    """Shares of errors at each of T borders, strictest first."""

    name: str
    escapes: Floats  # (T,), rising
    overkills: Floats  # (T,), falling

    def least(self, overkills: Floats) -> Floats:
        """The least escape rate (N,) at which no more than `overkills` (N,) are rejected."""
        enough = len(self.overkills) - np.searchsorted(self.overkills[::-1], overkills, "right")
        return np.append(self.escapes, 1.0)[enough]

    def draw(self, drawing: Drawing, plane: Plane, look: Look) -> None:
        """As steps: between two borders fewer good parts are rejected, and no more escape."""
        across = np.concatenate([[1.0], self.overkills.repeat(2)])
        drawing.path(plane.line(across, np.append(self.escapes.repeat(2), 1.0)), *look)


class Legend:
    """Lines below a plane that say what is what."""

    def __init__(self, drawing: Drawing, left: float) -> None:
        self.drawing, self.left, self.middle = drawing, left, float(_LEGEND)

    def line(self, words: Words, look: Look) -> None:
        """A curve."""
        self.drawing.path(f"M{self.left:.1f} {self.middle:.1f}h34", *look)
        self._words(words)

    def dot(self, words: Words, fill: str) -> None:
        """A mark."""
        _dot(self.drawing, self.left + 17, self.middle, fill)
        self._words(words)

    def _words(self, words: Words) -> None:
        self.drawing.text(self.left + 44, self.middle, words, size=12)
        self.middle += _STEP


def escape_overkill(judging: Judging, name: str, stage: StagePicks) -> str | None:
    """The picture of a stage as SVG; None where validation lacks good or defective parts."""
    run = judging.calibration.run
    chosen = stage.pick or stage.nearest_miss
    curves = [] if run.ok is None else _curves(run, run.ok, stage, chosen)
    if not curves:
        return None
    kinds = {} if chosen is None else _kinds(run, chosen)
    plane, beside = _planes(stage, chosen, kinds)
    named, pale = _divided(curves, plane, chosen)
    title = say("curves_title", stage=name)
    width = _LEFT + _WIDE + 30 + (_GAP + _WIDE if kinds else 0)
    height = _LEGEND + _STEP * max(len(named) + 4, min(len(kinds), _NAMED + 1)) + 4
    drawing = Drawing(max(width, width_of(title, 16) + 30), height, title)
    drawing.text(14, 24, title, size=16, weight="bold")
    legend = Legend(drawing, plane.left)
    _variants(legend, plane, named, pale, stage)
    _limits(drawing, plane, stage)
    if chosen is not None:
        _equal_costs(legend, plane, judging.costs, chosen)
        _marks(legend, plane, chosen)
        if kinds:
            _by_kind(Legend(drawing, beside.left), beside, kinds, chosen)
    return drawing.to_svg()


def _borders(part: DecidedParts, ok: int) -> Borders | None:
    return Borders.of(part, ok, LEVEL, lots=None) if (part.label == ok).any() else None


def _curves(
    run: RunFiles, ok: int, stage: StagePicks, chosen: PickedCandidate | None
) -> list[Curve]:
    """Of each variant that fits the stage's limits on place and speed, its best seed's.

    The first is the pick's; where none fits, all variants have one.
    """
    seeds: dict[str, int] = {} if chosen is None else {chosen.variant: chosen.seed}
    fits = [c for c in stage.candidates if not {*c.failed} & {*NAMES, *TIMING}]
    for candidate in fits or stage.candidates:
        seeds.setdefault(candidate.variant, candidate.seed)
    networks = {(network.variant, network.seed): network for network in run.networks}
    curves = []
    for variant, seed in seeds.items():
        borders = _borders(networks[variant, seed].validation, ok)
        if borders is not None:
            curves.append(Curve(variant, borders.escape_rates, borders.overkill_rates))
    return curves


def _kinds(run: RunFiles, chosen: PickedCandidate) -> dict[Curve, float]:
    """Curves of the pick by failure mode, or by class, and the escape rate at its border.

    The kind that escapes most comes first; empty where there is but one.
    """
    installed = chosen.variant, chosen.seed
    part = next(n for n in run.networks if (n.variant, n.seed) == installed).validation
    assert run.ok is not None
    assert part.ok_margin is not None
    borders, defective = _borders(part, run.ok), part.label != run.ok
    names = [name for number, name in enumerate(run.classes) if number != run.ok]
    if part.mode is not None:
        names = [run.modes[mode] for mode in np.unique(part.mode[defective]) if mode >= 0]
    called_good = decide(part, run.ok, chosen.threshold) == run.ok
    curves = {}
    for name in names if borders is not None else ():
        assert borders is not None
        own = of_kind(part, name, run.classes, run.modes) & defective
        margins = np.sort(part.ok_margin[own])
        if len(margins):
            passed = len(margins) - np.searchsorted(margins, borders.thresholds, "right")
            curve = Curve(name, passed / len(margins), borders.overkill_rates)
            curves[curve] = float(called_good[own].mean())
    worst_first = sorted(curves, key=lambda curve: (-curves[curve], -curve.escapes.sum()))
    return {curve: curves[curve] for curve in worst_first} if len(curves) > 1 else {}


def _planes(
    stage: StagePicks, chosen: PickedCandidate | None, kinds: dict[Curve, float]
) -> tuple[Plane, Plane]:
    """Room for the stage's limits and for what the pick does, and beside it for its kinds."""
    limits = {limit.name: limit.max or 0.0 for limit in stage.constraints}
    seen = [] if chosen is None else [chosen.validation, chosen.test]
    across = [0.5, 1.2 * limits.get("overkill_rate", 0.0)]
    across += [1.2 * (side.overkill_rate or 0.0) for side in seen]
    up = [0.02, *(3 * limits.get(name, 0.0) for name in CEILINGS)]
    up += [1.2 * (side.escape_bound or side.escape_rate or 0.0) for side in seen]
    most, higher = (min(1.0, max(shares)) for shares in (across, up))
    highest = min(1.0, max([higher, *(1.2 * share for share in kinds.values())]))
    right = _LEFT + _WIDE + _GAP
    return (
        Plane(_LEFT, _TOP, _WIDE, _HIGH, (most, higher)),
        Plane(right, _TOP, _WIDE, _HIGH, (most, highest)),
    )


def _divided(
    curves: list[Curve], plane: Plane, chosen: PickedCandidate | None
) -> tuple[list[Curve], list[Curve]]:
    """(named, pale): the pick's and those that are the best somewhere in the plane; the others."""
    overkills = plane.most[0] * np.linspace(0, 1, 101) ** 2
    least = np.stack([curve.least(overkills) for curve in curves])
    spans = ((least == least.min(0)) & (least.min(0) > 0)).sum(1)
    first = [] if chosen is None else [0]
    best = [i for i in np.argsort(-spans, kind="stable").tolist() if spans[i] and i not in first]
    named = [*first, *best[:_NAMED]]
    return [curves[i] for i in named], [c for i, c in enumerate(curves) if i not in named]


def _look(number: int) -> Look:
    """How a curve looks; the pick's is number 0."""
    if number == 0:
        return INK, 2.6, ""
    return PALETTE[(number - 1) % len(PALETTE)], 1.7, _DASHES[number % len(_DASHES)]


def _variants(
    legend: Legend, plane: Plane, named: list[Curve], pale: list[Curve], stage: StagePicks
) -> None:
    drawing, chosen = legend.drawing, stage.pick or stage.nearest_miss
    plane.axes(drawing, say("curves_across"), say("curves_up"))
    for curve in pale:
        curve.draw(drawing, plane, (_PALE, 1, ""))
    looks = [_look(number + (chosen is None)) for number in range(len(named))]
    for curve, look in reversed([*zip(named, looks, strict=True)]):
        curve.draw(drawing, plane, look)
    for curve, look in zip(named, looks, strict=True):
        words = plain(curve.name)
        if chosen is not None and curve.name == chosen.variant:
            key = "curves_picked" if stage.pick is not None else "curves_nearest"
            words = say(key, variant=curve.name)
        legend.line(words, look)
    if pale:
        words = say("curves_others" if len(pale) > 1 else "curves_other", n=len(pale))
        legend.line(words, (_PALE, 1.5, ""))


def _limits(drawing: Drawing, plane: Plane, stage: StagePicks) -> None:
    """The escape ceiling and the limit of overkill, with their figures."""
    right, bottom = plane.left + plane.width, plane.top + plane.height
    for limit in stage.constraints:
        if limit.max is None:
            continue
        if limit.name in CEILINGS:
            y = plane.up(limit.max)
            drawing.path(f"M{plane.left:.1f} {y:.1f}H{right:.1f}", INK, 1.2, "6 4")
            words = say("at_ceiling", share=f"{100 * limit.max:g}")
            wide = 1.1 * width_of(words, 11)  # bold
            drawing.box(right - 4 - wide, y - 17, wide, 15, "#ffffff", opacity=0.8)
            drawing.text(right - 4, y - 9, words, size=11, anchor="end", weight="bold")
        elif limit.name == "overkill_rate":
            x = plane.across(limit.max)
            drawing.path(f"M{x:.1f} {plane.top:.1f}V{bottom:.1f}", INK, 1.2, "6 4")
            words = say("at_limit", share=f"{100 * limit.max:g}")
            drawing.box(x + 2, plane.top + 2, width_of(words, 11), 16, "#ffffff", opacity=0.8)
            drawing.text(x + 5, plane.top + 10, words, size=11)


def _equal_costs(
    legend: Legend, plane: Plane, extremes: tuple[float, float], chosen: PickedCandidate
) -> None:
    """Lines of equal cost of 1,000 parts: that of the pick, half of it, and twice.

    `extremes` are what 1,000 parts cost if all defective ones escaped, or all good ones were
    rejected.
    """
    each_escape, each_overkill = extremes
    cost = chosen.validation.cost
    if not (cost and each_escape and each_overkill):
        return
    look = (QUIET, 1.4, "1 4")
    for share in (0.5, 1.0, 2.0):
        overkills = np.linspace(share * cost / each_overkill, 0, 200)
        escapes = (share * cost - overkills * each_overkill) / each_escape
        legend.drawing.path(plane.line(overkills, np.maximum(escapes, 0)), *look)
    legend.line(say("equal_costs", cost=f"{cost:.3g}"), look)


def _marks(legend: Legend, plane: Plane, chosen: PickedCandidate) -> None:
    """The border on validation with the bound above it, and on test."""
    drawing = legend.drawing
    sides = {"validation": (chosen.validation, INK), "test": (chosen.test, "#ffffff")}
    for name, (seen, fill) in sides.items():
        if seen.overkill_rate is None or seen.escape_rate is None:
            continue
        x, y = plane.across(seen.overkill_rate), plane.up(seen.escape_rate)
        words = say(f"border_on_{name}")
        if seen.escape_bound is not None and name == "validation":
            high, words = plane.up(seen.escape_bound), say("border_with_bound")
            drawing.path(f"M{x:.1f} {y:.1f}V{high:.1f}M{x - 5:.1f} {high:.1f}h10", INK, 1.6)
        _dot(drawing, x, y, fill)
        legend.dot(words, fill)


def _dot(drawing: Drawing, x: float, y: float, fill: str) -> None:
    drawing.box(x - 5, y - 5, 10, 10, fill, INK, radius=5)


def _by_kind(
    legend: Legend, plane: Plane, kinds: dict[Curve, float], chosen: PickedCandidate
) -> None:
    """Escapes of the pick by failure mode; those that escape most have a colour."""
    drawing, curves = legend.drawing, [*kinds]
    plane.axes(drawing, say("kinds_across"), say("kinds_up", variant=chosen.variant))
    x = plane.across(chosen.validation.overkill_rate or 0.0)
    drawing.path(f"M{x:.1f} {plane.top:.1f}V{plane.top + plane.height:.1f}", INK, 1.2)
    for curve in curves[_NAMED:]:
        curve.draw(drawing, plane, (_PALE, 1, ""))
    for number, curve in reversed([*enumerate(curves[:_NAMED], start=1)]):
        curve.draw(drawing, plane, _look(number))
    for number, curve in enumerate(curves[:_NAMED], start=1):
        share = f"{100 * kinds[curve]:.1f}"
        legend.line(say("kind_at_border", kind=curve.name, share=share), _look(number))
    if len(curves) > _NAMED:
        least = f"{100 * kinds[curves[_NAMED]]:.1f}"
        more = say("kinds_more", n=len(curves) - _NAMED, share=least)
        legend.line(more, (_PALE, 1.5, ""))
