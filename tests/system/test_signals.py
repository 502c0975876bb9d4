"""Ctrl-C while processes start."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from gaikan.system.signals import starting_workers

BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def is_deaf() -> bool:
    """Whether a process that starts now never hears Ctrl-C."""
    shown = subprocess.run([sys.executable, "-c", BLOCKED], stdout=subprocess.PIPE, check=True)
    return shown.stdout.strip() == b"True"


HEARS = """
import os, signal, threading, time
from gaikan.system.signals import starting_workers
# The system gives it the signal, as the main thread blocks it.
threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with starting_workers():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        print("started")
except KeyboardInterrupt:
    print("heard")
"""


def test_the_driver_hears_it_when_they_have_started() -> None:
    """In a process that has not computed.

    pytest's handlers have a stack of their own, too small for the registers of AMX, of which
    other tests leave traces.
    """
    shown = subprocess.run([sys.executable, "-c", HEARS], stdout=subprocess.PIPE, check=True)
    assert shown.stdout.split() == [b"started", b"heard"]


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
