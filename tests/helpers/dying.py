"""`gaikan bench` that is killed in the middle of a file: `dying.py PART_OF_ITS_NAME bench ...`."""

import os
import signal
import sys
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


if __name__ == "__main__":
    dying(sys.argv.pop(1))
