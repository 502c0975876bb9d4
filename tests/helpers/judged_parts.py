"""Variants that judged the same 200 parts at random."""

import numpy as np

from gaikan.evaluation.rates import JudgedParts


def judged(seeds: int = 2, groups: bool = False) -> JudgedParts:
    rng = np.random.default_rng(0)
    actual = np.repeat(["ok", "open", "spur"], [100, 60, 40])
    predicted = np.where(
        rng.random((2, seeds, 200)) < 0.8, actual, rng.choice(["ok", "open", "spur"], 200)
    )
    modes = np.where(rng.random(200) < 0.5, actual, np.char.add(actual, "-big"))
    lots = np.arange(200) % 8
    return JudgedParts(
        ("a", "b"),
        tuple(range(seeds)),
        predicted,
        actual,
        modes,
        lots.astype(np.str_) if groups else None,
    )
