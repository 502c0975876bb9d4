"""Which parts a person is asked about, and what stands once that person has looked.

A part is asked about where it is called good and its novelty p-value is at or below a level. The
level is set by the good validation parts alone, so that at most the stage's share of them is at or
below it, whatever they are called. For good parts of lots like these it is kept on average: the
p-value of a validation part is by the other lots, as that of a new part is (split conformal; Bates
et al., 2023). Defective parts have no say in it, so that the escape ceiling is tested over
thresholds alone, as without asking.
"""

import numpy as np
from numpy.typing import NDArray

from gaikan.novelty.conformal import highest_level
from gaikan.run_folder.decisions import Codes, DecidedParts

_ABOVE = 1 + 1e-6  # more than float32 rounds a bundle's p-values, too little to ask about others


def asking_level(part: DecidedParts, ok: int | None, share: float | None) -> float | None:
    """The highest level at which at most a `share` of the good parts is at or below it.

    None where nothing is asked; 0, at which nothing is asked either, where the good parts are too
    few for the share to be one of them.
    """
    return None if share is None else level_of(part.novelty_p[part.label == ok], share)


def level_of(p: NDArray[np.float64], share: float) -> float:
    """The highest level at which at most a `share` of p-values (G,) is at or below it; else 0."""
    return min(1.0, highest_level(p, share) * _ABOVE)


def asked(
    part: DecidedParts, predicted: Codes, ok: int | None, level: float | None
) -> NDArray[np.bool_]:
    """Marks (N,) of the parts that are asked about, of those called `predicted` (N,)."""
    if level is None:
        return np.zeros(len(part), bool)
    marks: NDArray[np.bool_] = (predicted == ok) & (part.novelty_p <= level)
    return marks


def settled(part: DecidedParts, predicted: Codes, ok: int | None, level: float | None) -> Codes:
    """Classes (N,) once a person has looked at what was asked: those parts are what they are."""
    return np.where(asked(part, predicted, ok, level), part.label, predicted)
