"""Ctrl-C and the processes that a command starts."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType


@contextmanager
def starting_workers() -> Iterator[None]:
    """Processes that start within never hear Ctrl-C: the driver does afterwards, and ends them.

    They inherit what is blocked. A handler of their own would come too late: a process that
    still imports shows a traceback, and so does one whose driver stopped in mid-sentence.
    """
    # It would unblock Ctrl-C again, were it started with the first of them.
    resource_tracker.ensure_running()
    with _later(), _blocked():
        yield


@contextmanager
def _blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _later() -> Iterator[None]:
    """What comes within is heard when it ends.

    To block it is not enough: another thread takes the signal, and Python handles it in the main
    thread all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python never interrupts it
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
