"""One gaikan at a time writes to a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gaikan.errors import ConfigError
from gaikan.system.files import unwritable


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Holds the run folder; the system lets go of it when the process ends, however it ends."""
    lock = FileLock(out / ".lock", timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"{out}: another gaikan run is writing here; wait for it or choose another --out"
        ) from None
    except OSError as error:
        raise ConfigError(f"--out {unwritable(out, error)}") from None
    try:
        yield
    finally:
        lock.release()
