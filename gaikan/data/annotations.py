"""What a source says of its images in words, and the classes that come of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Images, Names
from gaikan.data.names import alike
from gaikan.data.telltales import told_by_exposure
from gaikan.errors import DataError
from gaikan.language.words import Words, say

_INTEGER = re.compile("-?[0-9]{1,18}").fullmatch


@dataclass(frozen=True)
class Annotations:
    """Label, failure mode and lot of each image, (N,) each; a mode is "" where there is none."""

    labels: Names
    modes: Names | None = None
    groups: Names | None = None


def labelled(
    images: Images,
    told: Annotations,
    source: str,
    notes: Sequence[Words],
    origins: NDArray[np.object_] | None = None,
) -> Frames:
    """Frames of images (N, C, H, W) with their classes. Raises DataError on a mode half given."""
    keys, index = unique_labels(told.labels)
    modes, mode_notes = _with_modes_of_good(told, keys, index, source)
    classes = class_names(keys, index, modes)
    return Frames(
        source=source,
        images=images,
        labels=index,
        classes=classes,
        keys=keys,
        rows=np.arange(len(images)),
        modes=modes,
        groups=told.groups,
        notes=(
            *notes,
            *mode_notes,
            *names_alike(classes, modes, told.groups),
            *told_by_exposure(images, index, classes),
        ),
        origins=origins,
    )


def names_alike(classes: Sequence[str], modes: Names | None, groups: Names | None) -> list[Words]:
    """Notes on classes, failure modes and lots that look alike and are not."""
    kinds = {
        "classes": set(classes),
        "modes": set() if modes is None else set(modes.tolist()),
        "lots": set() if groups is None else set(groups.tolist()),
    }
    if kinds["modes"] == kinds["classes"]:  # told once
        del kinds["modes"]
    return [note for what, names in kinds.items() for note in alike(what, names)]


def unique_labels(labels: Names) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The distinct labels and each row's index.

    In numeric order where every one is an integer as Python writes it (`01` is not), else by name.
    """
    keys, index = np.unique(labels, return_inverse=True)
    if all(_INTEGER(key) and str(int(key)) == key for key in keys):
        order = np.argsort([int(key) for key in keys])
        keys, index = keys[order], np.argsort(order)[index]
    return tuple(keys.tolist()), index.astype(np.int64)


def class_names(
    keys: tuple[str, ...], labels: NDArray[np.int64], modes: Names | None
) -> tuple[str, ...]:
    """Failure modes as class names where label and mode correspond one to one, else the labels."""
    if modes is None:
        return keys
    pairs = sorted({(int(label), mode) for label, mode in zip(labels, modes.tolist(), strict=True)})
    names = tuple(mode for _, mode in pairs)
    one_to_one = len(pairs) == len(keys) == len(set(names)) and all(names)
    return names if one_to_one else keys


def _with_modes_of_good(
    told: Annotations, keys: tuple[str, ...], index: NDArray[np.int64], source: str
) -> tuple[Names | None, list[Words]]:
    """The modes; a class that has none at all, as good parts have, is its own.

    Raises DataError where some parts of a class have a mode and others none.
    """
    modes = told.modes
    if modes is None or modes.all():
        return modes, []
    filled, notes = modes.astype(object), []
    for label in np.unique(index[modes == ""]):
        held = index == label
        given = held & (modes != "")
        if given.any():
            row = int(np.flatnonzero(held & (modes == ""))[0])
            raise DataError(
                f"{source}: column 'fmode', row {row}: the cell is empty, but row "
                f"{int(np.flatnonzero(given)[0])} of the same class {keys[label]!r} has "
                f"{str(modes[given][0])!r}; give both or neither"
            )
        filled[held] = keys[label]
        notes.append(say("class_without_modes", name=repr(keys[label])))
    return filled.astype(np.str_), notes
