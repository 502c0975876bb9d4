"""Which images may be copies of each other: those whose spectra are alike but for turns."""

from collections.abc import Callable

import numpy as np

from gaikan.evaluation.spectra import SIZE, Floats, Index, Spectra, by_turns, spectra

LOOKALIKE = 11  # which neighbour, from 0, an image's copies must stand out from
MIDDLE = 0.89  # share of height and width that a cropped copy may show of the whole
_NEIGHBOURS = 16  # that are compared with each image
_NEAR = 0.75  # how far a middle may be from an image, over how far its lookalike is
_AXES, _ENOUGH = 32, 5_000  # principal axes, and images that they are found from
_PIXELS = 2**22  # at once

Grey = Callable[[Index], Floats]  # images (M, H, W) by number


def neighbours(n_images: int, grey: Grey, queries: Index) -> tuple[Index, Index]:
    """Pairs (P, 2) of images whose spectra are alike but for turns; each once.

    And pairs (E, 2) of which the first looks like the middle of the second: none of the others.
    """
    from sklearn.neighbors import NearestNeighbors

    places, middles = _places(n_images, grey)
    n_found = min(_NEIGHBOURS + 1, n_images)
    among = NearestNeighbors(n_neighbors=n_found, algorithm="brute").fit(places)
    among_middles = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(middles)
    distance, found = among.kneighbors(places[queries])
    lookalike = _NEAR * distance[:, min(LOOKALIKE + 1, n_found - 1)]
    pairs = _different(np.stack([np.repeat(queries, n_found), found.ravel()], 1))
    whole_of, whole = among.kneighbors(middles[queries], 1)
    middle_of, middle = among_middles.kneighbors(places[queries])
    has_whole, has_middle = whole_of[:, 0] < lookalike, middle_of[:, 0] < lookalike
    of_whole = np.stack([whole[has_whole, 0], queries[has_whole]], 1)
    of_middle = np.stack([queries[has_middle], middle[has_middle, 0]], 1)
    both = _different(np.concatenate([pairs, of_whole, of_middle]))
    return np.sort(pairs, 1), both[len(pairs) :]


def _places(n_images: int, grey: Grey) -> tuple[Floats, Floats]:
    """Of each image and of its middle, (N, 32): near each other where they look alike."""
    every = np.arange(n_images)
    some = _unturned(spectra(grey(every[:: -(-n_images // _ENOUGH)])))
    centre = some.mean(0)
    axes = np.linalg.eigh((some - centre).T @ (some - centre))[1][:, -_AXES:]
    whole, middle = [], []
    for images in map(grey, chunks(every, grey)):
        whole.append((_unturned(spectra(images)) - centre) @ axes)
        middle.append((_unturned(spectra(images, MIDDLE, MIDDLE)) - centre) @ axes)
    return np.concatenate(whole), np.concatenate(middle)


def _unturned(spectra: Spectra) -> Floats:
    """What no turn changes of images, (N, M)."""
    signs = by_turns(spectra)
    return np.concatenate([signs[:, :1], np.abs(signs[:, 1:])], 1).reshape(len(signs), -1)


def _different(pairs: Index) -> Index:
    """The first of each of pairs (P, 2) of the same two images, in their order; no image twice."""
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    number = pairs.min(1) * (pairs.max(initial=0) + 1) + pairs.max(1)
    return pairs[np.sort(np.unique(number, return_index=True)[1])]


def chunks(index: Index, grey: Grey) -> list[Index]:
    """`index`, so many at a time that as many images stay small."""
    n_pixels = max(grey(np.zeros(1, np.int64)).size, SIZE**2)
    return np.array_split(index, -(-len(index) * n_pixels // _PIXELS)) if len(index) else []
