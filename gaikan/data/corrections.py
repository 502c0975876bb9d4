"""Labels that a person has corrected: a table that `gaikan labels` wrote, filled in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaikan.data.csv_files import open_csv
from gaikan.data.frames import Frames
from gaikan.data.names import composed
from gaikan.errors import DataError, shown
from gaikan.language.words import Words, joined, say

TRAIN, TEST = "train", "test"
CORRECT = "correct"  # the column that the person fills in
_NEEDED = ("part", "row", "image", "label", CORRECT)


@dataclass(frozen=True)
class Correction:
    """A filled row of the table: a part, the label that it has, and the one that it should have."""

    where: str  # the file and the line, for errors
    part: str  # TRAIN or TEST
    row: int  # of the source
    image: str  # `Frames.place` of the part
    label: str  # a class name
    correct: str  # a class name, or the class as the source has it


@dataclass(frozen=True)
class Corrections:
    """The filled rows of a table; `notes` say what is unusual about the file."""

    name: str
    filled: tuple[Correction, ...]
    notes: tuple[Words, ...] = ()

    def of(self, *parts: str) -> "Corrections":
        """Those of some parts alone."""
        return replace(self, filled=tuple(each for each in self.filled if each.part in parts))


def read_corrections(path: Path) -> Corrections:
    """The corrections of a table, at least one. Raises DataError naming file, line and column."""
    found = filled_in(path)
    if not found.filled:
        raise DataError(
            f"{path}: column '{CORRECT}' is empty in every row; write the right class into it, "
            "or leave the file out"
        )
    return found


def filled_in(path: Path) -> Corrections:
    """The rows in which a person has filled in the column `correct`. Raises as the above."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {found}; corrections are a table of `gaikan labels`")
    file = open_csv(path, ",".join(_NEEDED))
    for column in _NEEDED:
        if column not in file.names:
            raise DataError(
                f"{path}: column {column!r} is missing among {shown(', '.join(file.names))}; "
                "corrections are a table of `gaikan labels`"
            )
    place = {column: file.names.index(column) for column in _NEEDED}
    filled = []
    for line, cells in enumerate(file.rows(), start=2):  # after the header
        part, row, image, label, correct = (cells[place[name]].strip() for name in _NEEDED)
        if not correct:
            continue
        where = f"{path}: line {line}"
        if part not in (TRAIN, TEST):
            raise DataError(f"{where}: column 'part': {shown(part)} is neither train nor test")
        if not (row.isascii() and row.isdigit() and len(row) < 19):
            raise DataError(f"{where}: column 'row': {shown(row)} is no row of a source")
        names = composed(label), composed(correct)
        filled.append(Correction(where, part, int(row), image, *names))
    return Corrections(path.name, tuple(filled), file.notes)


def corrected(frames: Frames, corrections: Corrections) -> Frames:
    """`frames` with the corrected labels, and a note that counts them.

    The mode of such a part becomes that of its new class, or none where the class has several.
    Raises DataError where a row is not of these images, has another label, or comes twice.
    """
    if not corrections.filled:
        return frames
    found = _find(frames, corrections.filled)
    labels = frames.labels.copy()
    for index, each in zip(found, corrections.filled, strict=True):
        labels[index] = _class(frames, each)
    changed = np.flatnonzero(labels != frames.labels)
    return replace(
        frames,
        labels=labels,
        modes=None if frames.modes is None else _modes(frames, frames.modes, labels, changed),
        notes=(*frames.notes, *corrections.notes, _note(frames, labels, changed, corrections)),
    )


def _find(frames: Frames, filled: Sequence[Correction]) -> list[int]:
    """The index of each part: by its image, and by its row where an image occurs twice."""
    wanted = {each.image for each in filled}
    held: dict[str, list[int]] = {}
    for index in range(len(frames)):
        if (image := frames.place(index)) in wanted:
            held.setdefault(image, []).append(index)
    seen: dict[int, Correction] = {}
    for each in filled:
        index = _index(frames, each, held.get(each.image, []))
        if index in seen:
            raise DataError(
                f"{each.where}: {shown(each.image)} is corrected twice; remove one line"
            )
        if each.label != (label := frames.names[index]):
            raise DataError(
                f"{each.where}: column 'label': {shown(each.image)} is {shown(str(label))} in "
                f"{frames.source}, not {shown(each.label)}: is the table of other data?"
            )
        seen[index] = each
    return list(seen)


def _index(frames: Frames, each: Correction, held: list[int]) -> int:
    if len(held) == 1:
        return held[0]  # files that came or went move the rows of the others
    if each.row >= len(frames):
        raise DataError(
            f"{each.where}: column 'row': {frames.source} has no row {each.row}, only "
            f"{len(frames)} images"
        )
    if each.row not in held:
        raise DataError(
            f"{each.where}: column 'image': {shown(each.image)} is not in {frames.source}: "
            "is the table of other data?"
        )
    return each.row


def _class(frames: Frames, each: Correction) -> int:
    for known in (frames.classes, frames.keys):
        if each.correct in known:
            return known.index(each.correct)
    raise DataError(
        f"{each.where}: column '{CORRECT}': there is no class {shown(each.correct)}; classes: "
        f"{', '.join(frames.classes)}"
    )


def _modes(
    frames: Frames,
    modes: NDArray[np.str_],
    labels: NDArray[np.int64],
    changed: NDArray[np.int64],
) -> NDArray[np.str_]:
    of_class = [np.unique(modes[frames.labels == c]) for c in range(len(frames.classes))]
    mended = modes.astype(object)
    for index in changed:
        of_new = of_class[labels[index]]
        mended[index] = str(of_new[0]) if len(of_new) == 1 else ""
    return mended.astype(np.str_)


def _note(
    frames: Frames, labels: NDArray[np.int64], changed: NDArray[np.int64], made: Corrections
) -> Words:
    """How many labels have changed, and from what to what."""
    old, new = frames.labels[changed].tolist(), labels[changed].tolist()
    kinds = Counter(zip(old, new, strict=True)).most_common()
    classes = frames.classes
    told = [say("labels_change", old=classes[a], new=classes[b], n=n) for (a, b), n in kinds]
    confirmed = len(made.filled) - len(changed)
    note = say("labels_corrected", file=made.name, n=len(changed), source=frames.source)
    if told:
        note = say("labels_changes", corrected=note, changes=joined(told, say("comma")))
    return say("labels_confirmed", corrected=note, n=confirmed) if confirmed else note
