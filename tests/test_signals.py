"""Ctrl-C while processes start."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gaikan.signals import starting_workers

BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def is_deaf() -> bool:
    """Whether a process that starts now never hears Ctrl-C."""
    shown = subprocess.run([sys.executable, "-c", BLOCKED], stdout=subprocess.PIPE, check=True)
    return shown.stdout.strip() == b"True"


def test_the_driver_hears_it_when_they_have_started() -> None:
    ended = threading.Event()
    # The system gives it the signal, as the main thread blocks it.
    other = threading.Thread(target=ended.wait)
    other.start()
    started = []

    def start() -> None:
        with starting_workers():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            started.append("whole")

    with pytest.raises(KeyboardInterrupt):
        start()
    ended.set()
    other.join()
    assert started == ["whole"]


def test_only_processes_that_start_within_are_deaf() -> None:
    before = signal.getsignal(signal.SIGINT)
    with starting_workers():
        assert is_deaf()
    assert not is_deaf()
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_can_start_them() -> None:
    def start() -> bool:
        with starting_workers():
            return is_deaf()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(start).result()
