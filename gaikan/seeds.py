"""Named, independent random streams from one base seed."""

import hashlib

import numpy as np


def stream(seed: int, *name: str) -> np.random.Generator:
    """The generator of the use `name` (for example "split", "batches") under `seed`.

    Streams of different names are independent, and adding a use does not move the others.
    """
    digest = hashlib.sha256("\0".join(name).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])
