"""Room for images: in memory, or for many in a file that the system pages in and out."""

import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gaikan.errors import DataError

LARGE = 2**28  # bytes, from which on an array lies in a file
_AT_ONCE = 2**26  # bytes that are copied at once


def room(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array to be filled. A large one lies in a nameless file, which ends with the process.

    Raises DataError where the folder for temporary files has no room for it.
    """
    n_bytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if n_bytes < LARGE:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="gaikan-") as file:
        try:
            # Now, with an error: a full disk would end the process when the array is filled.
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        except OSError as error:
            raise DataError(
                f"{tempfile.gettempdir()}: no room for {n_bytes / 1e9:.1f} GB of images "
                f"({error.strerror}); free some, or set TMPDIR to a larger disk"
            ) from None
        return np.memmap(file, dtype, "r+", shape=shape)


def joined(images: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
    """Both, one behind the other (N + M, ...), with `room` for them."""
    shape = (len(images) + len(more), *images.shape[1:])
    found = room(shape, np.result_type(images, more))
    found[: len(images)], found[len(images) :] = images, more
    return found


def gathered(images: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
    """`images[index]` (M, ...), with `room` for them."""
    found = room((len(index), *images.shape[1:]), images.dtype)
    step = max(1, _AT_ONCE // max(1, images[:1].nbytes))
    for start in range(0, len(index), step):
        found[start : start + step] = images[index[start : start + step]]
    return found
