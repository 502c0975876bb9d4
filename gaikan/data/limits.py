"""How large data may be: what a small file can declare, a machine need not be able to hold."""

from gaikan.errors import DataError
from gaikan.system import machine

LONGEST_NAME = 1000  # characters of a class, a failure mode or a group
_SHARE = 4  # of the memory, for the images alone: they are copied, compared and trained on


def refuse_too_large(source: str, rows: int, values: str, width: int, itemsize: int) -> None:
    """Raises DataError where so many rows of `width` numbers or characters are too much here."""
    held, needed = machine.memory(), rows * width * itemsize
    if held is not None and needed > held / _SHARE:
        raise DataError(
            f"{source}: {rows} x {width} {values} take {needed / 1e9:.1f} GB, and this "
            f"machine has {held / 1e9:.1f} GB for everything; leave some out"
        )
