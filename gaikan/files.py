"""Writing files so that there is the old one or the new one, never half of one."""

import os
from pathlib import Path


def write(path: Path, content: bytes | str) -> None:
    """Writes beside `path`, durably, and renames; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
