"""What asking a person would change: fewer escapes for so many good parts asked about."""

from collections.abc import Iterator
from dataclasses import replace

from gaikan.config.stages import Share, Stage
from gaikan.language.words import Words, say
from gaikan.run_folder.decisions import DecidedParts
from gaikan.run_folder.picks_file import AskingPoint, Side
from gaikan.selection.candidates import Candidate, JudgedNetwork, Judging
from gaikan.selection.choose import pick
from gaikan.selection.constraint_words import worded
from gaikan.selection.handed_over import asking_level
from gaikan.selection.quality import bounded, decide, quality
from gaikan.selection.ties import Ties
from gaikan.selection.unseen_modes import unseen_modes

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
        for share, level in zip(shares, levels, strict=True):
            yield _point(judging, judged, split, share, level)


def _point(
    judging: Judging, judged: JudgedNetwork, split: Side, share: float, level: float
) -> AskingPoint:
    part: DecidedParts = getattr(judged.network, split)
    ok = judging.run.ok
    assert ok is not None
    predicted = decide(part, ok, judged.threshold)
    seen = quality(part, predicted, ok, judging.factory, level=level)
    seen = bounded(seen, part, predicted, ok, level)
    kept = {name: getattr(seen, name) for name in AskingPoint.model_fields if hasattr(seen, name)}
    setting = replace(judged.setting, ask_level=level)
    unseen = unseen_modes(judged.network, ok, setting, split)
    rates = [mode.escape_rate for mode in unseen]
    return AskingPoint(
        split=split,
        share=share,
        level=level,
        **kept,
        unseen_mean=sum(rates) / len(rates) if rates else None,
        unseen_worst=rates[0] if rates else None,
        unseen_mode=unseen[0].mode if rates else None,
    )


def nobody_asked(judged: JudgedNetwork, stage: Stage, ok: int | None) -> Words | None:
    """Why a stage that asks asks nobody; None where it asks about some."""
    if stage.asks is None or judged.ask_level != 0:
        return None
    part = judged.network.validation
    if (part.novelty_p == 1).all():
        return say("nobody_asked_one_lot")
    p = part.novelty_p[part.label == ok]
    share, goods = worded("ask_rate", stage.asks), len(p)
    if stage.asks * goods < 1:
        return say("nobody_asked", share=share, goods=goods)
    return say("nobody_asked_tied", share=share, goods=goods, tied=int((p == p.min()).sum()))


def asking_in_words(
    judging: Judging, ties: Ties, stage: Stage, chosen: Candidate | None
) -> Words | None:
    """Why a stage's pick asks, or which share asked would give one where none was `chosen`.

    None where asking changes nothing, or the stage limits no escapes.
    """
    if not stage.ceilings and stage.unseen_escape is None:
        return None
    if stage.asks is not None:
        return None if chosen is None else _needed(judging, ties, stage, chosen)
    for share in () if chosen is not None else TRIED:
        asking = stage.model_copy(update={"ask_rate": Share(max=share)})
        best = pick(judging.candidates(asking), asking, ties).pick
        if best is not None and not judging.calibrated(best, asking).failed:
            asked = {"share": worded("ask_rate", share), "max": f"{share:g}"}
            return say("asking_would", variant=best.variant, **asked)
    return None


def _needed(judging: Judging, ties: Ties, stage: Stage, chosen: Candidate) -> Words | None:
    """With how many asked the stage has its pick, and what it would have without, if another."""
    silent = stage.model_copy(update={"ask_rate": None})
    instead = pick(judging.candidates(silent), silent, ties).pick
    if instead is not None and judging.calibrated(instead, silent).failed:
        instead = None
    share = worded("ask_rate", stage.asks or 0.0)
    if instead is None:
        return say("asking_needed", share=share)
    if instead.variant == chosen.variant:
        return None
    return say("asking_changes", share=share, variant=instead.variant)
