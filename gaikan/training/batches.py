"""Class-balanced batches: P classes x K images each."""

import math

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Labels

_FEWEST_PER_CLASS = 4  # a class with one image in a batch gives no positive pair


def balanced_batches(
    labels: Labels, batch_size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """One epoch as indices into `labels`, (n_batches, B) with B <= `batch_size`.

    Each class has the same share of every batch; with more than `batch_size` / 4 classes a
    batch holds some of the classes and they take turns. An epoch draws as many images as there
    are: of a rare class some repeatedly, of a frequent one not all. No image comes again
    before every other of its class has come (Hermans et al., 2017, section 2, for P x K).
    """
    classes = np.unique(labels)
    per_class = max(_FEWEST_PER_CLASS, batch_size // len(classes))
    classes_per_batch = max(1, min(len(classes), batch_size // per_class))
    n_batches = math.ceil(len(labels) / (classes_per_batch * per_class))
    n_turns = math.ceil(n_batches * classes_per_batch / len(classes))
    order = np.stack([rng.permutation(len(classes)) for _ in range(n_turns)])  # class of each turn
    draws = np.stack(
        [_draw(np.flatnonzero(labels == c), n_turns * per_class, rng) for c in classes]
    ).reshape(len(classes), n_turns, per_class)
    blocks = draws[order, np.arange(n_turns)[:, None]].reshape(-1, per_class)
    return blocks[: n_batches * classes_per_batch].reshape(n_batches, -1)


def _draw(index: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`n` entries of `index`: whole shuffled passes, the last one cut."""
    passes = np.tile(index, (math.ceil(n / len(index)), 1))
    return rng.permuted(passes, axis=1).reshape(-1)[:n]
