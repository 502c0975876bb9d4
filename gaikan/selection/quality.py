"""How good a network's decisions on a part of the data are, with a threshold or without."""

import numpy as np
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.bounds import cost_per_1000, upper_bound_over_groups
from gaikan.run_folder.decisions import Codes, DecidedParts
from gaikan.run_folder.picks_file import Quality


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
    hits = np.bincount(part.label[predicted == part.label], minlength=part.label.max() + 1)
    recalls = hits[np.bincount(part.label) > 0] / part.class_sizes
    escapes = defects = overkills = goods = escape = overkill = cost = None
    if ok is not None:
        good, called_good = part.label == ok, predicted == ok
        goods = int(np.count_nonzero(good))
        defects = len(part) - goods
        overkills = goods - int(np.count_nonzero(good & called_good))
        escapes = int(np.count_nonzero(called_good)) - (goods - overkills)
        if defects:
            escape = escapes / defects
        if goods:
            overkill = overkills / goods
        if escape is not None and overkill is not None:
            cost = cost_per_1000(escape, overkill, factory)
    return Quality(
        n=len(part),
        accuracy=int(hits.sum()) / len(part),
        balanced_accuracy=float(recalls.mean()),
        escapes=escapes,
        defects=defects,
        escape_rate=escape,
        escape_bound=None if escape is None else bound,
        overkills=overkills,
        goods=goods,
        overkill_rate=overkill,
        cost=cost,
    )


def bounded(figures: Quality, part: DecidedParts, predicted: Codes, ok: int | None) -> Quality:
    """The same, but a missing escape bound is worked out, at `LEVEL` and over the part's groups."""
    if not figures.defects or figures.escape_bound is not None:
        return figures
    defective = part.label != ok
    group = None if part.group is None else part.group[defective]
    bound = upper_bound_over_groups(predicted[defective] == ok, group)
    return figures.model_copy(update={"escape_bound": bound})


def of_kind(
    part: DecidedParts, kind: str, classes: tuple[str, ...], modes: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Marks (N,) of the parts whose failure mode, or else class, is `kind`."""
    if part.mode is not None and kind in modes:
        return np.equal(part.mode, modes.index(kind))
    return np.equal(part.label, classes.index(kind))
