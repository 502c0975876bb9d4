"""How good a network's decisions on a part of the data are, with a threshold or without."""

import numpy as np
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import upper_bound_over_groups
from gaikan.evaluation.costs import cost_per_1000
from gaikan.evaluation.counts import ShopFloorCounts, escaped
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.run_folder.picks_file import Quality
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
) -> Quality:
    """Figures of the decisions `predicted` (N,), N >= 1; their escape bound is `bound`."""
    counts = ShopFloorCounts.of(part.label, predicted, ok)
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
    )


def bounded(figures: Quality, part: DecidedParts, predicted: Codes, ok: int | None) -> Quality:
    """The same, but a missing escape bound is worked out, at `LEVEL` and over the part's groups."""
    if not figures.defects or figures.escape_bound is not None:
        return figures
    defective = part.label != ok
    group = None if part.group is None else part.group[defective]
    bound = upper_bound_over_groups(escaped(part.label, predicted, ok)[defective], group)
    return figures.model_copy(update={"escape_bound": bound})


def of_kind(
    part: DecidedParts, kind: str, classes: tuple[str, ...], modes: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Marks (N,) of the parts whose failure mode, or else class, is `kind`."""
    if part.mode is not None and kind in modes:
        return np.equal(part.mode, modes.index(kind))
    return np.equal(part.label, classes.index(kind))
