"""A run's parts without those of one failure mode: what training sees when it has never met it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Names
from gaikan.data.split import Parts, lacking
from gaikan.errors import ConfigError
from gaikan.evaluation.experiment import Experiment


@dataclass(frozen=True)
class WithoutMode:
    """The experiment without a mode, or the reason why it cannot be left out."""

    mode: str
    experiment: Experiment  # its test part still has the mode
    unseen: NDArray[np.bool_]  # (N,) test parts of the mode
    reason: str | None  # None: it can be left out


def leave_each_out(experiment: Experiment) -> list[WithoutMode]:
    """Every defect of the training source left out in turn, in the order of their names.

    A failure mode where the source tells modes, else a class. Parts of the good class always
    stay. Raises ConfigError without a good class: nothing could be called good.
    """
    if experiment.ok is None:
        raise ConfigError(
            "--unseen: which class is good is not known, so no unseen defect can be called good; "
            "name it with --ok CLASS"
        )
    known = defects(experiment.train, experiment.ok)
    return [_without(experiment, mode) for mode in np.unique(known[known != ""]).tolist()]


def defects(frames: Frames, ok: str | None) -> Names:
    """The failure mode (N,) of each part, or its class where no modes are told; "" of good ones."""
    named = frames.names if frames.modes is None else frames.modes
    return np.where(frames.names == ok, "", named)


def _without(experiment: Experiment, mode: str) -> WithoutMode:
    train, test = experiment.train, experiment.test
    kept = defects(train, experiment.ok) != mode
    unseen = defects(test, experiment.ok) == mode
    place = np.cumsum(kept) - 1  # of each kept row among those that are kept
    parts = {
        seed: Parts(*(place[rows[kept[rows]]] for rows in (own.fit, own.validation)))
        for seed, own in experiment.parts.items()
    }
    known = _only_classes_that_occur(train.take(np.flatnonzero(kept)))
    without = replace(experiment, train=known, parts=parts)
    return WithoutMode(mode, without, unseen, _reason(without, unseen))


def _only_classes_that_occur(frames: Frames) -> Frames:
    present, labels = np.unique(frames.labels, return_inverse=True)
    classes, keys = (
        tuple(names[i] for i in present.tolist()) for names in (frames.classes, frames.keys)
    )
    return replace(frames, labels=labels.astype(np.int64), classes=classes, keys=keys)


def _reason(without: Experiment, unseen: NDArray[np.bool_]) -> str | None:
    """Why nothing can be learned without the mode, or told of it."""
    train = without.train
    if not unseen.any():
        return "the test part has none of it"
    if len(train.classes) < 2:
        return "without it there is no defect to learn from"
    for own in without.parts.values():
        for part, rows in (("fit", own.fit), ("validation", own.validation)):
            if (lost := lacking(train, rows)) is not None:
                return f"without it the {part} part has no image of class {lost}"
    return None
