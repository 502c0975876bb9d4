"""The processes that a command starts: they never hear Ctrl-C, and they end with it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType


@contextmanager
def starting_workers() -> Iterator[None]:
    """Processes that start in this block never hear Ctrl-C; the driver hears it, and ends them.

    They inherit the blocked signal. A handler of their own would come too late: a process that
    is still importing would show a traceback, and so would one whose driver stops in the middle
    of a message to it.
    """
    # If it started with the first of them, it would unblock Ctrl-C again.
    resource_tracker.ensure_running()
    with _deferred():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _deferred() -> Iterator[None]:
    """A Ctrl-C that comes in this block is handled when the block ends.

    Blocking it is not enough: another thread takes the signal, and Python still handles it in the
    main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python interrupts the main thread only
        return
    heard = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)


def end_with_parent() -> None:
    """From now on this process ends with the one that started it, also where that is killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
