"""The lock of a run folder: one gaikan at a time writes there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gaikan.errors import ConfigError
from gaikan.system.files import unwritable


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Holds the lock of the run folder `out`; the system frees it however the process ends.

    Raises ConfigError where another process holds it, or the folder cannot be written.
    """
    lock = FileLock(out / ".lock", timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except Timeout:
        raise ConfigError(
            f"{out}: another gaikan run is writing here; wait for it or choose another --out"
        ) from None
    except OSError as error:
        raise ConfigError(f"--out {unwritable(out, error)}") from None
    with held:
        yield
