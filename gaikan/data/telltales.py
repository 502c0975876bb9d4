"""Classes that something other than the part tells: a network may learn that instead."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Images, Labels, Names
from gaikan.errors import shown
from gaikan.language.words import Words, joined, plain, say

_NEARLY = 0.95  # share of the images of a class that stands for all, and 1 minus it for none
_FEWEST = 4  # images on either side of which something is said
_DISTANCE = 0.05  # of the range of all pixels, by which an exposure differs
_QUARTILES = (0.25, 0.5, 0.75)
_NAMED_TRAITS = {"colour", "grey", "transparent", "opaque"}  # the others are names
_SAMPLE, _PIXELS = 2000, 4096  # images, and pixels of each, that stand for all


def told_by_file(traits: Mapping[str, Sequence[str]], labels: Names) -> list[Words]:
    """A sentence for each trait of the files by which some classes are told from all others.

    `traits` are lists of N names, such as `PNG`, by what they say of the files; `labels` (N,).
    """
    found = []
    classes, index = np.unique(labels, return_inverse=True)
    for values in traits.values():
        notes = [
            (len(told), _sentence(told, has, index, classes, value))
            for value in sorted(set(values))
            for has in [np.asarray(values) == value]
            for told in [_told(has, index, len(classes))]
            if told
        ]
        found += [min(notes, key=lambda note: (note[0], note[1].en))[1]] if notes else []
    return found


def _told(has: NDArray[np.bool_], index: NDArray[np.int64], n_classes: int) -> list[int]:
    """The classes of which nearly all images have it, if nearly none of all others has."""
    shares = np.bincount(index, has, n_classes) / np.bincount(index, minlength=n_classes)
    inside, outside = shares >= _NEARLY, shares <= 1 - _NEARLY
    is_clear = (inside | outside).all() and inside.any() and outside.any()
    sizes = np.bincount(inside[index], minlength=2)
    return np.flatnonzero(inside).tolist() if is_clear and sizes.min() >= _FEWEST else []


def _sentence(
    told: list[int],
    has: NDArray[np.bool_],
    index: NDArray[np.int64],
    classes: NDArray[np.str_],
    value: str,
) -> Words:
    own = np.isin(index, told)
    n_in, n_out = int(has[own].sum()), int(has[~own].sum())
    own_total, total = int(own.sum()), int((~own).sum())
    return say(
        "told_by_file_many" if len(told) > 1 else "told_by_file_one",
        names=joined([plain(shown(str(classes[i]))) for i in told], say("comma")),
        trait=say(f"trait_{value}") if value in _NAMED_TRAITS else value,
        inside=say("share_all" if n_in == own_total else "share_some", n=n_in, total=own_total),
        outside=say("outside_some" if n_out else "outside_none", n=n_out, total=total),
    )


def told_by_exposure(images: Images, labels: Labels, classes: Sequence[str]) -> list[Words]:
    """A sentence for each class whose images are all darker or brighter, throughout, than others.

    Of images (N, C, H, W). Throughout: by each quartile of an image's pixels, which a defect that
    covers less than a quarter moves little.
    """
    every = max(1, len(images) // _SAMPLE)
    some, index = images[::every], labels[::every]
    flat = some.reshape(len(some), -1)[:, :: max(1, some[0].size // _PIXELS)]
    levels: NDArray[np.float64] = np.quantile(flat, _QUARTILES, axis=1).astype(np.float64)
    distance = _DISTANCE * float(np.ptp(np.quantile(flat, (0.001, 0.999))))
    notes = []
    for each, name in enumerate(classes):
        own, others = levels[:, index == each], levels[:, index != each]
        if min(own.shape[1], others.shape[1]) < _FEWEST:
            continue
        for word, a, b in (("brighter", own, others), ("darker", others, own)):
            lows: NDArray[np.float64] = np.quantile(a, 1 - _NEARLY, axis=1)
            highs: NDArray[np.float64] = np.quantile(b, _NEARLY, axis=1)
            if (lows - highs > distance).all():
                notes.append(say(f"class_{word}", name=shown(name)))
    return notes
