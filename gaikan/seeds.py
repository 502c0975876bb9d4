"""Named, independent random streams from one base seed."""

import hashlib

import numpy as np


def stream(seed: int, *name: str) -> np.random.Generator:
    """The random generator for the use called `name`, such as "split" or "batches".

    Streams of different names are independent: a new use does not change the others.
    """
    digest = hashlib.sha256("\0".join(name).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])
