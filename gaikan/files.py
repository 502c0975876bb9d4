"""Writing files so that there is the old one or the new one, never half of one."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

LONGEST_NAME = 150  # bytes of a name that names a file: systems allow 255, with what is added


def write(path: Path, content: bytes | str) -> None:
    """Writes beside `path`, durably, and renames; folders are made as needed."""
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place, durably, when all went well."""
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


def file_name(text: str) -> str:
    """`text` as far as it can name a file: letters, digits, `.`, `_` and `-`; may be empty."""
    short = re.sub(r"[^\w.-]+", "-", text).encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(".-")


def is_short(name: str) -> bool:
    """Whether the name of a file may be made of it."""
    return len(name.encode()) <= LONGEST_NAME
