"""How large data may be: what a small file can declare, a machine need not be able to hold."""

from gaikan.errors import DataError
from gaikan.system import machine

LONGEST_NAME = 1000  # characters of a class, a failure mode or a group
_ACTIVATIONS = 2 * 64 * 4  # bytes a pixel: 64 maps of float32, into a layer and out of it
_BATCH_BYTES = 2**29
_SHARE = 4  # of the memory, for the images alone: they are copied, compared and trained on


def at_once(shape: tuple[int, ...], most: int) -> int:
    """How many images of `shape` (..., H, W) go through a network at once: `most`, or fewer.

    So many that their activations take half a GB; up to 90 x 90 pixels that is 128. By the images
    alone, not by this machine's memory: a machine with less gives the same figures.
    """
    return max(1, min(most, _BATCH_BYTES // (_ACTIVATIONS * shape[-2] * shape[-1])))


def refuse_too_large(source: str, rows: int, values: str, width: int, itemsize: int) -> None:
    """Raises DataError where so many rows of `width` numbers or characters are too much here."""
    held, needed = machine.memory(), rows * width * itemsize
    if held is not None and needed > held / _SHARE:
        raise DataError(
            f"{source}: {rows} x {width} {values} take {needed / 1e9:.1f} GB, and this "
            f"machine has {held / 1e9:.1f} GB for everything; leave some out"
        )
