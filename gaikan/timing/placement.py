"""Gives each thread of a runtime that computes beside its caller a core of its own, on Linux.

OpenVINO hands a query from the caller to a thread of its own. That one shares the work with other
threads, which never sleep while they wait for it. Where the system puts the caller or that thread
on the core of one of these, a small network takes 1.4 times as long until the system moves it: one
timing then differs from the next. The threads have no names: they are told apart by what they do.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gaikan.system import machine

_TASKS = Path("/proc/self/task")
_SECONDS = 0.05  # of watching the threads
_QUERIES = 20  # in that time at least: to a slower network, it hardly matters where threads are
_BUSY = 0.1  # a thread works that computes for more than this share of the time
_SPINS = 0.1  # a thread never sleeps that waits less often than this, per query


@dataclass(frozen=True)
class _Thread:
    """The system's counts for a thread since its start."""

    computed: float  # seconds on a core
    waits: int  # times it has gone to sleep


def settle(query: Callable[[], object], cores: set[int]) -> None:
    """Keeps the threads that work on `query` on different ones of the `cores`.

    Those that sleep between queries, the caller among them, share the lowest core; each that never
    sleeps gets one of the others. Does nothing without /proc, with one core, or where queries are
    slow.
    """
    if len(cores) < 2 or not _TASKS.exists():
        return
    query()
    before, queries, started = _threads(), 0, time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        query()
        queries += 1
    passed = time.perf_counter() - started
    if queries < _QUERIES:
        return
    first, *others = sorted(cores)
    for number, after in _threads().items():
        earlier = before.get(number, _Thread(0.0, 0))
        waits, computed = after.waits - earlier.waits, after.computed - earlier.computed
        with suppress(ProcessLookupError):  # ended meanwhile
            if waits >= _SPINS * queries:
                machine.stay_on({first}, number)
            elif computed > _BUSY * passed and others:
                machine.stay_on({others.pop(0)}, number)


def _threads() -> dict[int, _Thread]:
    """The threads of this process by their number."""
    threads = {}
    for folder in _TASKS.iterdir():
        try:
            computed = int((folder / "schedstat").read_text().split()[0]) / 1e9
            status = (folder / "status").read_text().splitlines()
        except OSError:  # ended meanwhile
            continue
        waits = next(int(line.split()[1]) for line in status if line.startswith("voluntary_"))
        threads[int(folder.name)] = _Thread(computed, waits)
    return threads
