"""What asking a person would change: fewer escapes for so many good parts asked about."""

from collections.abc import Iterator
from typing import Literal

from gaikan.config.stages import Share, Stage
from gaikan.run_folder.decisions import DecidedParts
from gaikan.run_folder.picks_file import AskingPoint
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.choose import pick
from gaikan.selection.constraint_words import worded
from gaikan.selection.handed_over import asking_level
from gaikan.selection.quality import bounded, decide, quality
from gaikan.selection.ties import Ties

Side = Literal["validation", "test"]
SHARES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)  # of good parts that are asked about
TRIED = (0.01, 0.03, 0.05, 0.1)  # where a stage that asks nothing has no pick


def asking_curve(judging: Judging, candidate: Candidate, stage: Stage) -> list[AskingPoint]:
    """Escapes of a candidate at its own border by the share of good parts asked about.

    On validation and on test; the level of each share is set on validation. Empty where no class
    means good.
    """
    return [] if judging.run.ok is None else [*_points(judging, candidate, stage)]


def _points(judging: Judging, candidate: Candidate, stage: Stage) -> Iterator[AskingPoint]:
    judged, ok = candidate.judged, judging.run.ok
    shares = sorted({*SHARES, stage.asks or 0.0})
    levels = [asking_level(judged.network.validation, ok, share) or 0.0 for share in shares]
    sides: tuple[Side, ...] = ("validation", "test")
    for split in sides:
        part: DecidedParts = getattr(judged.network, split)
        for share, level in zip(shares, levels, strict=True):
            yield _point(judging, part, split, share, level, judged.threshold)


def _point(
    judging: Judging,
    part: DecidedParts,
    split: Side,
    share: float,
    level: float,
    threshold: float | None,
) -> AskingPoint:
    ok = judging.run.ok
    predicted = decide(part, ok, threshold)
    seen = quality(part, predicted, ok, judging.factory, level=level)
    seen = bounded(seen, part, predicted, ok, level)
    kept = {name: getattr(seen, name) for name in AskingPoint.model_fields if hasattr(seen, name)}
    return AskingPoint(split=split, share=share, level=level, **kept)


def asking_in_words(judging: Judging, ties: Ties, stage: Stage, found: bool) -> str | None:
    """Why a stage's pick asks, or which share asked would give one that has none.

    None where asking changes nothing, or the stage limits no escapes.
    """
    if not stage.ceilings:
        return None
    if stage.asks is not None:
        return _needed(judging, ties, stage) if found else None
    for share in () if found else TRIED:
        asking = stage.model_copy(update={"ask_rate": Share(max=share)})
        best = pick(judging.candidates(asking), asking, ties).pick
        if best is not None and not judging.calibrated(best, asking).failed:
            return (
                f"with {worded('ask_rate', share)} of good parts asked "
                f"(ask_rate = {{ max = {share:g} }}): {best.variant} would qualify"
            )
    return None


def _needed(judging: Judging, ties: Ties, stage: Stage) -> str:
    """With how many asked the stage has its pick, and what it would have without."""
    silent = stage.model_copy(update={"ask_rate": None})
    instead = pick(judging.candidates(silent), silent, ties).pick
    if instead is not None and judging.calibrated(instead, silent).failed:
        instead = None
    without = "nothing would qualify" if instead is None else f"{instead.variant} would be picked"
    return f"with {worded('ask_rate', stage.asks)} of good parts asked; without, {without}"
