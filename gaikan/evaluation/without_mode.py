"""A run's parts without those of one failure mode: what training sees when it has never met it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Names
from gaikan.data.room import joined
from gaikan.data.split import Parts, lacking
from gaikan.errors import ConfigError
from gaikan.evaluation.experiment import Experiment
from gaikan.language.words import Words, say

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class WithoutMode:
    """The experiment without a mode, or the reason why it cannot be left out.

    Its test part is that of the run, with the mode, and behind it the mode's validation parts: to
    networks that never saw the mode they are as new.
    """

    mode: str
    experiment: Experiment
    unseen: NDArray[np.bool_]  # (N,) of its test part, the mode's parts of the run's test part
    held: dict[int, Rows]  # by seed: the mode's validation parts, as rows of the run's train source
    behind: dict[int, Rows]  # the same parts as rows of its test part
    reason: Words | None  # None: it can be left out


def modes_to_leave_out(experiment: Experiment) -> list[str]:
    """Every defect of the training source, in the order of their names.

    A failure mode where the source tells modes, else a class; never the good class. Raises
    ConfigError without a good class: nothing could be called good.
    """
    if experiment.ok is None:
        raise ConfigError(
            "--unseen: which class is good is not known, so no unseen defect can be called good; "
            "name it with --ok CLASS"
        )
    known, _ = defects(experiment)
    modes: list[str] = np.unique(known[known != ""]).tolist()
    return modes


def defects(experiment: Experiment) -> tuple[Names, Names]:
    """The defect of each part of the training and of the test source; "" of good parts.

    Its failure mode where the training source tells modes, "" of a test source that does not; else
    its class.
    """
    train, test, ok = experiment.train, experiment.test, experiment.ok
    if train.modes is None:
        named = train.names, test.names
    else:
        named = train.modes, np.full(len(test), "") if test.modes is None else test.modes
    of_train, of_test = (
        np.where(frames.names == ok, "", names)
        for frames, names in zip((train, test), named, strict=True)
    )
    return of_train, of_test


def leave_out(experiment: Experiment, mode: str) -> WithoutMode:
    """The experiment without a mode; it holds copies of the images."""
    train, test = experiment.train, experiment.test
    of_train, of_test = defects(experiment)
    kept, unseen = of_train != mode, of_test == mode
    held = {seed: own.validation[~kept[own.validation]] for seed, own in experiment.parts.items()}
    added = np.unique(np.concatenate([*held.values()]))
    behind = {seed: len(test) + np.searchsorted(added, rows) for seed, rows in held.items()}
    place = np.cumsum(kept) - 1  # of each kept row among those that are kept
    parts = {
        seed: Parts(*(place[rows[kept[rows]]] for rows in (own.fit, own.validation)))
        for seed, own in experiment.parts.items()
    }
    known = _only_classes_that_occur(train.take(np.flatnonzero(kept)))
    longer = _followed_by(test, train.take(added))
    without = replace(experiment, train=known, test=longer, parts=parts)
    reason = _reason(without)
    if not len(added) and not unseen.any():
        reason = say("mode_not_held_out")
    unseen = np.concatenate([unseen, np.zeros(len(added), bool)])
    return WithoutMode(mode, without, unseen, held, behind, reason)


def _followed_by(test: Frames, more: Frames) -> Frames:
    """The test part and, behind it, more images; without what only the run's own pages show."""
    return replace(
        test,
        images=joined(test.images, more.images),
        labels=np.concatenate([test.labels, more.labels]),
        rows=np.concatenate([test.rows, more.rows]),
        modes=None,
        groups=None,
        origins=None,
    )


def _only_classes_that_occur(frames: Frames) -> Frames:
    present, labels = np.unique(frames.labels, return_inverse=True)
    classes, keys = (
        tuple(names[i] for i in present.tolist()) for names in (frames.classes, frames.keys)
    )
    return replace(frames, labels=labels.astype(np.int64), classes=classes, keys=keys)


def _reason(without: Experiment) -> Words | None:
    """Why nothing can be learned without the mode."""
    train = without.train
    if len(train.classes) < 2:
        return say("mode_is_the_only_one")
    for own in without.parts.values():
        for key, rows in (("mode_of_fit", own.fit), ("mode_of_validation", own.validation)):
            if (lost := lacking(train, rows)) is not None:
                return say(key, name=lost)
    return None
