"""Writing files so that there is the old one or the new one, never half of one."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gaikan.errors import GaikanError, one_line

LONGEST_NAME = 150  # bytes of a name that names a file: systems allow 255, with what is added
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_AGAIN = "and run the same command again"
_REMEDIES = {
    errno.ENOSPC: f"free some space there {_AGAIN}",
    errno.EDQUOT: f"free some of your quota there {_AGAIN}",
    errno.EROFS: "write to another folder, this disk is read-only",
    errno.EACCES: "write to another folder, or ask for the right to write there",
}


class UnwritableError(GaikanError, OSError):
    """A file cannot be written: one line for the user, an OSError for who says it otherwise."""

    def __init__(self, number: int | None, reason: str, path: str) -> None:
        OSError.__init__(self, number, reason, path)

    def __str__(self) -> str:
        remedy = _REMEDIES.get(self.errno or 0, f"mend that {_AGAIN}")
        return one_line(f"{self.filename}: cannot be written ({self.strerror}); {remedy}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Every OSError within becomes an UnwritableError, of `path` where it is not one yet."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> UnwritableError:
    """What `error` means for the user."""
    return UnwritableError(error.errno, error.strerror or str(error), str(path))


def write(path: Path, content: bytes | str) -> None:
    """Writes beside `path`, durably, and renames; folders are made as needed.

    Raises UnwritableError.
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place, durably, when all went well.

    Raises UnwritableError.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes what a killed process left half written in `folder` and below."""
    for path in folder.rglob("*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with writing(path):
                path.unlink(missing_ok=True)


def file_name(text: str) -> str:
    """`text` as far as it can name a file: letters, digits, `.`, `_` and `-`; may be empty."""
    short = re.sub(r"[^\w.-]+", "-", text).encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(".-")


def is_short(name: str) -> bool:
    """Whether the name of a file may be made of it."""
    return len(name.encode()) <= LONGEST_NAME
