"""Enrols a class from a few images: a new anchor; the network stays as it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.anchors import ANCHORS, FitPart
from gaikan.bundle.bundle import Bundle, Floats, Kept
from gaikan.bundle.card import Card
from gaikan.bundle.decision import classes_of
from gaikan.bundle.graph import anchors_of, with_anchors
from gaikan.bundle.image_batch import ImageBatch
from gaikan.data.names import composed
from gaikan.errors import BundleError
from gaikan.variants import HEAD


@dataclass(frozen=True)
class Enrolment:
    """The new bundle, and what the new anchor changes for its validation parts."""

    bundle: Bundle
    replaced: bool  # the class had an anchor before
    images: int
    moved: float | None  # distance from the old anchor of the class to the new one
    distances: dict[str, float]  # from the new anchor to that of each other class
    kept: int  # validation parts tried
    changed: int  # of these, now given another class
    lost: dict[str, int]  # by class: parts that were right before and are wrong now
    gained: dict[str, int]  # by class: parts that were wrong before and are right now
    changes: Counter[str]  # made to images to fit the model


def enrol(bundle: Bundle, name: str, batches: Iterable[ImageBatch]) -> Enrolment:
    """`bundle` with an anchor for class `name`, made from the images by its anchor method.

    It replaces the old anchor of a known class. Raises BundleError where the bundle has no anchors
    or the name is not one for a class.
    """
    card = bundle.card
    if card.anchor == HEAD or bundle.kept is None:
        raise BundleError(f"{card.variant} decides by its softmax head and has no anchors to add")
    if card.anchor not in ANCHORS:
        raise BundleError(f"anchor method {card.anchor!r} is not known here")
    if not name.strip() or len(name) > 1000:
        raise BundleError(f"--class {name!r}: not a name for a class")
    name = composed(name)
    taken = list(batches)
    anchor, n_images = _anchor(bundle, taken)
    old = anchors_of(bundle.model)
    replaced = name in card.classes
    index = card.classes.index(name) if replaced else len(old)
    new = np.concatenate([old[:index], anchor, old[index + 1 :]])
    classes = card.classes if replaced else (*card.classes, name)
    before = _decide(bundle.kept, old, card)
    after = _decide(bundle.kept, new, card)
    gaps = np.linalg.norm(new - anchor, axis=1)
    note = {"class": name, "images": n_images, "replaced": replaced}
    changed_card = replace(card, classes=classes, enrolled=[*card.enrolled, note])
    right_before, right_after = (decided == bundle.kept.labels for decided in (before, after))
    enrolled = Bundle(changed_card, with_anchors(bundle.model, new), bundle.kept)
    enrolled.check()
    return Enrolment(
        bundle=enrolled,
        replaced=replaced,
        images=n_images,
        moved=float(np.linalg.norm(old[index] - anchor[0])) if replaced else None,
        distances={c: float(gaps[i]) for i, c in enumerate(classes) if i != index},
        kept=len(before),
        changed=int((before != after).sum()),
        lost=_by_class(bundle.kept.labels[right_before & ~right_after], classes),
        gained=_by_class(bundle.kept.labels[~right_before & right_after], classes),
        changes=sum((batch.changes for batch in taken), Counter()),
    )


def _anchor(bundle: Bundle, batches: Iterable[ImageBatch]) -> tuple[Floats, int]:
    """The anchor (1, D) of all images together, and the number of images."""
    whole = []
    for batch in batches:
        batch.refuse_unread()
        whole.append(batch.images)
    images: Any = np.concatenate(whole)
    embed = bundle.embedder()
    part = FitPart(images, np.zeros(len(images), np.int64), embed(images), 1, embed)
    anchor = ANCHORS[bundle.card.anchor](part)
    if not np.isfinite(anchor).all():
        raise BundleError("the network gives an anchor that is not finite for these images")
    return anchor, len(images)


def _by_class(labels: NDArray[np.uint16], classes: tuple[str, ...]) -> dict[str, int]:
    """How many of the labels are of each class that occurs."""
    counts = np.bincount(labels, minlength=len(classes))
    return {name: int(n) for name, n in zip(classes, counts, strict=True) if n}


def _decide(kept: Kept, anchors: Floats, card: Card) -> NDArray[np.int64]:
    """The class (N,) of each kept part, as the graph decides it."""
    distances = np.stack([np.linalg.norm(kept.embeddings - a, axis=1) for a in anchors], axis=1)
    return classes_of(distances, card.ok_index, card.threshold)
