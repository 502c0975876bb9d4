"""How good a network's decisions on a part of the data are, with a threshold or without."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import upper_bound_over_groups
from gaikan.evaluation.costs import cost_per_1000
from gaikan.evaluation.counts import ShopFloorCounts, escaped
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.run_folder.picks_file import Quality
from gaikan.selection.handed_over import asked, settled
from gaikan.training.recall import mean_recall


def decide(part: DecidedParts, ok: int | None, threshold: float | None) -> Codes:
    """Predicted classes (N,): by the nearest anchor, or by a threshold on the ok margin."""
    if threshold is None or ok is None:
        return part.predicted
    assert part.ok_margin is not None
    assert part.defect is not None
    return np.where(part.ok_margin > threshold, ok, part.defect)


def quality(
    part: DecidedParts,
    predicted: Codes,
    ok: int | None,
    factory: FactoryConfig,
    bound: float | None = None,
    level: float | None = None,
) -> Quality:
    """Figures of the decisions `predicted` (N,), N >= 1; their escape bound is `bound`.

    What is asked about at the `level` is no escape; its class counts in accuracy as any other.
    """
    counts = ShopFloorCounts.of(part.label, settled(part, predicted, ok, level), ok)
    escape, overkill = counts.escape_rate, counts.overkill_rate
    cost = None
    if escape is not None and overkill is not None:
        cost = cost_per_1000(escape, overkill, factory)
    return Quality(
        n=len(part),
        accuracy=int(np.count_nonzero(predicted == part.label)) / len(part),
        balanced_accuracy=mean_recall(part.label, predicted),
        **vars(counts),
        escape_rate=escape,
        escape_bound=None if escape is None else bound,
        overkill_rate=overkill,
        cost=cost,
        **vars(_asks(part, predicted, ok, level)),
        ask_bound=None,
    )


@dataclass(frozen=True)
class _Asks:
    """How many parts are asked about; None where nothing is."""

    good_asks: int | None
    defect_asks: int | None
    ask_rate: float | None  # of good parts


def _asks(part: DecidedParts, predicted: Codes, ok: int | None, level: float | None) -> _Asks:
    if level is None:
        return _Asks(None, None, None)
    marks, good = asked(part, predicted, ok, level), part.label == ok
    of_good, goods = int(marks[good].sum()), int(good.sum())
    return _Asks(of_good, int(marks.sum()) - of_good, of_good / goods if goods else None)


def bounded(
    figures: Quality,
    part: DecidedParts,
    predicted: Codes,
    ok: int | None,
    level: float | None = None,
) -> Quality:
    """The same, but missing bounds are worked out, at `LEVEL` and over the part's groups."""
    bounds = {}
    if figures.defects and figures.escape_bound is None:
        escapes = escaped(part.label, settled(part, predicted, ok, level), ok)
        bounds["escape_bound"] = _bound(part, escapes, part.label != ok)
    if figures.goods and level is not None:
        bounds["ask_bound"] = _bound(part, asked(part, predicted, ok, level), part.label == ok)
    return figures.model_copy(update=bounds) if bounds else figures


def _bound(part: DecidedParts, events: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    group = None if part.group is None else part.group[among]
    return upper_bound_over_groups(events[among], group)


def of_kind(
    part: DecidedParts, kind: str, classes: tuple[str, ...], modes: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Marks (N,) of the parts whose failure mode, or else class, is `kind`."""
    if part.mode is not None and kind in modes:
        return np.equal(part.mode, modes.index(kind))
    return np.equal(part.label, classes.index(kind))
