"""`gaikan bench` in a process of its own, to be harmed.

It is forked from a server that has imported what a run needs, which takes longer than the run.
"""

import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from dying import dying
from runner import bench

from gaikan.cli import main

# One list for all tests: the first that needs the server starts it.
PRELOADED = ["gaikan.flow.bench_run", "distributed", "gaikan.grid.dask.worker"]


class Driver:
    """Runs the reference's grid into `out`, as a process; `dies_in` is as `dying` has it."""

    def __init__(
        self, reference: Path, out: Path, *options: str, dies_in: str | None = None
    ) -> None:
        self.said = Path(f"{out}.stdout"), Path(f"{out}.stderr")
        words = ["bench", str(reference / "grid.toml"), "--out", str(out), *options]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self.process = context.Process(target=_run, args=(self.said, words, dies_in))
        self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid

    @property
    def returncode(self) -> int | None:
        """As `subprocess` has it: the exit code, or minus the signal; None where it runs."""
        return self.process.exitcode

    def communicate(self, timeout: float = 90) -> tuple[str, str]:
        """What it said on stdout and on stderr, once it has ended."""
        self.process.join(timeout)
        assert self.returncode is not None
        out, error = (path.read_text(encoding="utf-8") for path in self.said)
        return out, error

    def kill(self) -> None:
        """Kills it, and leaves what it has started alone."""
        self.process.kill()


def _run(said: tuple[Path, Path], command: list[str], dies_in: str | None) -> None:
    """In the new process, which hears Ctrl-C: a shell's background job ignores it."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    for descriptor, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["gaikan", *command]
    if dies_in is None:
        main()
    else:
        dying(dies_in)


@contextmanager
def driver(reference: Path, out: Path, *options: str) -> Iterator[Driver]:
    """The reference's grid into `out`; ended with the block, however it ends."""
    process = Driver(reference, out, *options)
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it has no group of its own yet
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()


def wait_for(condition: Callable[[], bool], process: Driver | None = None) -> None:
    """Returns when the condition holds; fails where `process` ends first, or after 90 seconds."""
    deadline = time.monotonic() + 90
    while not condition():
        if process is not None and process.returncode is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()}")
        assert time.monotonic() < deadline
        time.sleep(0.005)


def training(out: Path) -> bool:
    """Whether a cell is past its first epoch."""
    return any(out.glob("store/work/*.heartbeat"))


def workers(process: Driver) -> list[psutil.Process]:
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
