"""Numbers whose contrast single precision, in which networks compute, cannot hold."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Images
from gaikan.errors import DataError

_LEVELS = 256  # that must be left between the smallest and the largest pixel


def refuse_lost_contrast(images: Images, given: Iterable[NDArray[Any]], source: str) -> None:
    """Raises DataError where hardly any contrast is left in float32 and there was more before.

    `given` are the same numbers before they became float32; they are looked at only where too
    few levels are left.
    """
    low, high = float(images.min()), float(images.max())
    largest = max(abs(low), abs(high))
    if images.dtype != np.float32 or high - low >= _LEVELS * np.spacing(np.float32(largest)):
        return
    lowest, highest, is_rounded = np.inf, -np.inf, False
    for piece in given:
        lowest, highest = min(lowest, piece.min()), max(highest, piece.max())
        is_rounded = is_rounded or not np.array_equal(piece, piece.astype(np.float32))
    if is_rounded and highest > lowest:
        raise DataError(
            f"{source}: pixels of about {largest:g} differ by {highest - lowest:g} at most, of "
            "which single precision keeps hardly anything; subtract one number from all, and the "
            "same from what the line gives"
        )
