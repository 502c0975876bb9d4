"""What a source holds: the facts that `gaikan data` prints."""

import numpy as np

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
        ("values", f"{frames.images.dtype}, {frames.images.min():g} to {frames.images.max():g}"),
        (
            "brightness",
            f"{100 * share:.0f} % of the variance is between images"
            + ": normalised one by one" * (share > MUCH),
        ),
        ("fingerprint", frames.fingerprint[:16]),
    ]
    if frames.groups is not None:
        values.append(("groups", str(len(np.unique(frames.groups)))))
    return values + [("note", note) for note in frames.notes] + problems(frames)


def problems(frames: Frames) -> list[tuple[str, str]]:
    """Repeated images, contradicting labels and constant images, where there are any."""
    first, sets = unique_images(frames.images)
    found = [
        (len(sets) - len(first), "images repeat an earlier one exactly"),
        (n_contradicting(sets, frames.names), "images occur under more than one label"),
        (n_constant(frames), "images are constant"),
    ]
    return [("problem", f"{n} {what}") for n, what in found if n]


def counts(frames: Frames) -> tuple[list[str], list[list[str]]]:
    """Header and rows: images per class, its label and its failure modes."""
    rows = []
    for index, (name, key) in enumerate(zip(frames.classes, frames.keys, strict=True)):
        held = frames.labels == index
        modes = [] if frames.modes is None else sorted(set(frames.modes[held].tolist()))
        rows.append([name, key, str(held.sum()), ", ".join(modes)])
    return ["class", "label", "images", "failure modes"], rows
