"""Which fit embeddings stand for all of them."""

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Labels
from gaikan.novelty.familiarity import LARGEST, Familiarity
from gaikan.seeds import stream


def familiarity(embeddings: NDArray[np.float32], labels: Labels, seed: int) -> Familiarity:
    """What a network knows, from its embeddings (N, D) of the fit images, labels (N,), N >= 1.

    Each class keeps as many of its embeddings, drawn at random; one that has fewer keeps all.
    """
    rng = stream(seed, "novelty")
    classes = np.unique(labels)
    most = max(1, LARGEST // len(classes))
    kept = [rng.permutation(np.flatnonzero(labels == label))[:most] for label in classes.tolist()]
    rows = np.sort(np.concatenate(kept))[:LARGEST]
    return Familiarity(embeddings[rows])
