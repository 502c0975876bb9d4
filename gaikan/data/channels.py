"""Grey and colour brought together: both ways as Pillow converts the pixels of files."""

import numpy as np

from gaikan.data.frames import Images
from gaikan.data.room import room

# Of red, green and blue in 65536: ITU-R BT.601, as Pillow rounds them.
_WEIGHTS = np.array([19595, 38470, 7471])
_AT_ONCE = 2**22  # numbers that are converted at once


def to_channels(images: Images, channels: int) -> Images:
    """Images (N, C, H, W) with `channels` 1 (grey) or 3 (red, green and blue)."""
    if images.shape[1] == channels:
        return images
    found: Images = room((len(images), channels, *images.shape[2:]), images.dtype)
    step = max(1, _AT_ONCE // max(1, images[:1].size))
    for start in range(0, len(images), step):
        some = images[start : start + step]
        found[start : start + step] = some if channels == 3 else _grey(some)
    return found


def _grey(images: Images) -> Images:
    """(N, 1, H, W) of (N, 3, H, W)."""
    if images.dtype == np.uint8:
        total = np.einsum("nchw,c->nhw", images.astype(np.uint32), _WEIGHTS.astype(np.uint32))
        rounded: Images = ((total + 2**15) >> 16).astype(np.uint8)
        return rounded[:, None]
    grey: Images = np.einsum("nchw,c->nhw", images, _WEIGHTS / 2**16).astype(np.float32)
    return grey[:, None]
