"""Ctrl-C and the processes that a command starts."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def starting_workers() -> Iterator[None]:
    """Processes that start within never hear Ctrl-C: the driver does, and ends them.

    They inherit what is blocked. A handler of their own would come too late: a process that
    still imports shows a traceback.
    """
    # It would unblock Ctrl-C again, were it started with the first of them.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
