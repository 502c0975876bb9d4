"""Classes across sources: test labels in terms of the training classes, and which class is good."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaikan.data.annotations import names_alike
from gaikan.data.channels import to_channels
from gaikan.data.frames import Frames
from gaikan.data.names import composed
from gaikan.data.value_range import compare_values
from gaikan.errors import DataError
from gaikan.language.words import Words, say


def align(train: Frames, test: Frames) -> Frames:
    """`test` with its labels indexing the training classes.

    Classes correspond by key (integer label, folder name), then by name. A class that training
    lacks is appended after them: its parts can only be classified wrong, and a note says so.
    Grey images become colour or colour grey, as training's are, and a note says so. Raises
    DataError where the images differ in size or on what scale they are, or one label has two
    meanings.
    """
    test = _in_channels(train, test)
    if train.shape != test.shape:
        raise DataError(
            f"{test.source}: images are {_size(test)}, those of {train.source} {_size(train)}; "
            "both must be alike"
        )
    classes, keys = list(train.classes), list(train.keys)
    place = []
    for key, name in zip(test.keys, test.classes, strict=True):
        if key in keys:
            found = keys.index(key)
            _same_meaning(train, test, found, key, name)
        elif name in classes:
            found = classes.index(name)
        else:
            found = len(classes)
            classes.append(name)
            keys.append(key)
        place.append(found)
    labels = np.asarray(place, np.int64)[test.labels]
    notes = [*test.notes, *compare_values(train, test)]
    for index in range(len(train.classes), len(classes)):
        n = int((labels == index).sum())
        name = repr(classes[index])
        notes.append(say("class_not_in_training", name=name, train=train.source, n=n))
    notes += _names_alike_across(train, test, classes)
    return replace(
        test, labels=labels, classes=tuple(classes), keys=tuple(keys), notes=tuple(notes)
    )


def _names_alike_across(train: Frames, test: Frames, classes: Sequence[str]) -> list[Words]:
    """Notes on names of the test part that look like one of training, and are another."""
    modes = [each.modes for each in (train, test) if each.modes is not None]
    groups = [each.groups for each in (train, test) if each.groups is not None]
    notes = names_alike(
        classes,
        np.concatenate(modes) if modes else None,
        np.concatenate(groups) if groups else None,
    )
    return [note for note in notes if note not in (*train.notes, *test.notes)]


def _in_channels(train: Frames, test: Frames) -> Frames:
    """`test` in grey or colour as `train` is."""
    if train.shape[0] == test.shape[0]:
        return test
    key = "made_colour" if train.shape[0] == 3 else "made_grey"
    note = say(key, source=test.source, train=train.source)
    images = to_channels(test.images, train.shape[0])
    return replace(test, images=images, notes=(*test.notes, note))


def _same_meaning(train: Frames, test: Frames, found: int, key: str, name: str) -> None:
    known = train.classes[found]
    if name not in (known, key) and known != key:
        raise DataError(
            f"{test.source}: label {key} is {name!r} there but {known!r} in {train.source}; "
            "mend the labels of one of them"
        )


def _size(frames: Frames) -> str:
    channels, height, width = frames.shape
    return f"{channels} x {height} x {width}"


def resolve_ok(frames: Frames, ok: str | None) -> str | None:
    """The class name that `ok` (class, label or failure mode) stands for.

    Raises DataError where nothing is called so, or where a failure mode shares its class with
    others: that class would be neither good nor defective.
    """
    if ok is None:
        return None
    ok = composed(ok)
    if ok in frames.classes:
        return ok
    if ok in frames.keys:
        return frames.classes[frames.keys.index(ok)]
    if frames.modes is not None and ok in set(frames.modes.tolist()):
        held = np.unique(frames.labels[frames.modes == ok])
        inside = np.isin(frames.labels, held)
        others = sorted(set(frames.modes[inside].tolist()) - {ok})
        if len(held) == 1 and not others:
            return frames.classes[int(held[0])]
        raise DataError(
            f"{frames.source}: failure mode {ok!r} does not make a class of its own (shares "
            f"{', '.join(frames.classes[int(i)] for i in held)} with {', '.join(others) or 'none'})"
        )
    raise DataError(
        f"{frames.source}: no class, label or failure mode {ok!r} for --ok; "
        f"classes: {', '.join(frames.classes)}"
    )
