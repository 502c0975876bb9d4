"""What a source holds: the facts that `gaikan data` prints."""

import numpy as np
from numpy.typing import NDArray

from gaikan.data.brightness import MUCH, between_images
from gaikan.data.frames import Frames
from gaikan.evaluation.copies import unique_images
from gaikan.evaluation.leaks import n_constant, n_contradicting


def facts(frames: Frames) -> list[tuple[str, str]]:
    """Name and value of each fact worth knowing before a run."""
    channels, height, width = frames.shape
    share = between_images(frames.images, frames.labels)
    values = [
        ("source", frames.source),
        ("images", str(len(frames))),
        ("size", f"{height} x {width}, {channels} channel{'s' if channels > 1 else ''}"),
        (
            "values",
            f"{frames.images.dtype}, {frames.images.min():g} to {frames.images.max():g}"
            + (f" ({frames.depth} files)" if frames.depth else ""),
        ),
        (
            "brightness",
            f"{100 * share:.0f} % of the variance is between images"
            + ": normalised by local contrast" * (share > MUCH),
        ),
        ("fingerprint", frames.fingerprint[:16]),
    ]
    if frames.groups is not None:
        values.append(("groups", str(len(np.unique(frames.groups)))))
    return values + [("note", note.en) for note in frames.notes] + problems(frames)


def problems(frames: Frames) -> list[tuple[str, str]]:
    """Repeated images, contradicting labels and constant images, where there are any."""
    first, sets = unique_images(frames.images)
    found = [
        (len(sets) - len(first), f"images repeat an earlier one exactly{_repeated(frames, sets)}"),
        (n_contradicting(sets, frames.names), "images occur under more than one label"),
        (n_constant(frames), "images are constant"),
    ]
    return [("problem", f"{n} {what}") for n, what in found if n]


def _repeated(frames: Frames, sets: NDArray[np.int64]) -> str:
    """The first such pair, so that it can be looked up."""
    seen: dict[int, int] = {}
    for index, each in enumerate(sets.tolist()):
        if each in seen:
            return f" (such as {frames.place(seen[each])} and {frames.place(index)})"
        seen[each] = index
    return ""


def counts(frames: Frames) -> tuple[list[str], list[list[str]]]:
    """Header and rows: of each class label, images, lots, failure modes, and its first image."""
    held = [np.flatnonzero(frames.labels == index) for index in range(len(frames.classes))]
    columns = {
        "class": list(frames.classes),
        "label": list(frames.keys),
        "images": [str(len(rows)) for rows in held],
    }
    if frames.groups is not None:
        columns["lots"] = [str(len(np.unique(frames.groups[rows]))) for rows in held]
    if frames.modes is not None:
        modes = [sorted(set(frames.modes[rows].tolist())) for rows in held]
        columns["failure modes"] = [", ".join(some) for some in modes]
    columns["the first"] = [frames.place(int(rows[0])) for rows in held]
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]
