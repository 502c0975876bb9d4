"""A core for each thread of a runtime that computes beside its caller, on Linux.

OpenVINO hands a query from the caller to a thread of its own, and that one shares the work with
others, which wait for it at full speed. Where the system lets the caller or that thread have the
core of one of these, a small network takes 1.4 times as long, until the system moves it: one
timing then differs from the next. Such threads have no names: they are known by what they do.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gaikan.system import machine

_TASKS = Path("/proc/self/task")
_SECONDS = 0.05
_QUERIES = 20  # in that time; slower networks do not feel where threads are, and tell less of them
_BUSY = 0.1  # share of the time that a thread computed
_SPINS = 0.1  # fewer waits a query than this: it never sleeps


@dataclass(frozen=True)
class _Thread:
    """What the system has counted of a thread since its start."""

    computed: float  # seconds on a core
    waits: int  # times it has gone to sleep


def settle(query: Callable[[], object], cores: set[int]) -> None:
    """Gives the threads that work when `query` is called a core each of `cores`.

    Those that sleep between queries, the caller among them, share the lowest; each that never
    sleeps gets one of the others. Without /proc, with one core or slow queries, does nothing.
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
    found = {}
    for folder in _TASKS.iterdir():
        try:
            computed = int((folder / "schedstat").read_text().split()[0]) / 1e9
            status = (folder / "status").read_text().splitlines()
        except OSError:  # ended meanwhile
            continue
        waits = next(int(line.split()[1]) for line in status if line.startswith("voluntary_"))
        found[int(folder.name)] = _Thread(computed, waits)
    return found
