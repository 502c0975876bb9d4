"""A command that is killed in the middle of writing a file."""

import os
import signal
from pathlib import Path
from unittest.mock import patch

from gaikan.cli import main


def dying(part: str) -> None:
    """Runs the command line; the first file with `part` in its path is left half written."""
    sync = os.fsync

    def killed(descriptor: int) -> None:
        if part in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    with patch("os.fsync", killed):
        main()
