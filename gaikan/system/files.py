"""Writes files so that there is always the old one or the new one, never half of one."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gaikan.errors import GaikanError, one_line

LONGEST_NAME = 150  # bytes; systems allow 255, but endings are added to the names
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_AGAIN = "and run the same command again"
_REMEDIES = {
    errno.ENOSPC: f"free some space there {_AGAIN}",
    errno.EDQUOT: f"free some of your quota there {_AGAIN}",
    errno.EROFS: "write to another folder, this disk is read-only",
    errno.EACCES: "write to another folder, or ask for the right to write there",
}


class UnwritableError(GaikanError, OSError):
    """A file cannot be written. Also an OSError, for callers that report those in their own way."""

    def __init__(self, number: int | None, reason: str, path: str) -> None:
        OSError.__init__(self, number, reason, path)

    def __str__(self) -> str:
        remedy = _REMEDIES.get(self.errno or 0, f"mend that {_AGAIN}")
        return one_line(f"{self.filename}: cannot be written ({self.strerror}); {remedy}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError within the block into an UnwritableError that names `path`."""
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> UnwritableError:
    """The error that tells the user what to do about `error` at `path`."""
    return UnwritableError(error.errno, error.strerror or str(error), str(path))


def write(path: Path, content: bytes | str) -> None:
    """Replaces `path` by a file with this content, in one step. Raises UnwritableError."""
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """An open file that takes the place of `path` when the block ends without an error.

    It is on the disk before it does. Folders are made as needed. Raises UnwritableError.
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
    """Removes the temporary files that killed processes left in `folder` and below."""
    for path in folder.rglob("*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            with writing(path):
                path.unlink(missing_ok=True)


def file_name(text: str) -> str:
    """A file name like `text`, of letters, digits, `.`, `_` and `-` alone; may be empty."""
    short = re.sub(r"[^\w.-]+", "-", text).encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(".-")


def is_short(name: str) -> bool:
    """Whether `name` is short enough to name a file."""
    return len(name.encode()) <= LONGEST_NAME
