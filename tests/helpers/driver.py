"""`gaikan bench` in a process of its own, to be harmed."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from runner import bench, command_line

Process = subprocess.Popen[str]


@contextmanager
def driver(reference: Path, out: Path, *options: str, **environment: str) -> Iterator[Process]:
    """The reference's grid into `out`; ended with the block, however it ends."""
    command = command_line("bench", reference / "grid.toml", "--out", out, *options)
    with subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _hear_ctrl_c() -> None:
    """Whatever this process was started with: a shell's background job ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def wait_for(condition: Callable[[], bool], process: Process | None = None) -> None:
    """Returns when the condition holds; fails where `process` ends first, or after 90 seconds."""
    deadline = time.monotonic() + 90
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()}")
        assert time.monotonic() < deadline
        time.sleep(0.005)


def training(out: Path) -> bool:
    """Whether a cell is past its first epoch."""
    return any(out.glob("store/work/*.heartbeat"))


def workers(process: Process) -> list[psutil.Process]:
    """The processes that train for it."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def lines(text: str) -> list[str]:
    """What is left of a terminal's text: its lines, without the empty ones."""
    return [line for line in re.sub(r"\x1b\[[^m]*m", "", text).splitlines() if line.strip()]


def scores(out: Path) -> bytes:
    return (out / "accuracy.csv").read_bytes()


def resumes(reference: Path, out: Path, *options: str) -> None:
    """The same command ends well, with the scores of the undisturbed run, and tidies up."""
    assert bench(reference / "grid.toml", "--out", out, *options) == 0
    assert scores(out) == scores(reference / "out")
    assert not list(out.rglob("*.tmp"))
    assert not (out / "store/work").exists()
