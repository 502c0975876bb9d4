"""What else had the processor while something was timed, by the counters of Linux.

Needs Python alone, so that it runs on a Raspberry Pi. proc_stat(5), proc_pid_schedstat in the
kernel's sched-stats.rst, and thermal_throttle in sysfs.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
_TICK = 0.01  # seconds: by so much the busy time of a core may be off at either end
_WAITED = 0.05  # share of the time that a single own thread may wait for a core
_STOLEN = 0.05  # share of one core that a hypervisor may give to others
_OTHERS = 0.1  # share of all cores that other work may have where the timed threads leave room
_SPARE = 0.1  # cores that a quiet system needs for itself


@dataclass(frozen=True)
class Counters:
    """Counters at one moment; only their differences mean anything. None: not told here."""

    at: float  # seconds
    own: float  # processor seconds of this process
    waited: float | None  # seconds that threads of this process were ready and had no core
    busy: float | None  # processor seconds of everything on the machine
    stolen: float | None  # seconds that the hypervisor gave to other machines
    throttled: int | None  # times that a core was slowed down for its heat
    cores: int  # of the machine, whatever of it this process may use

    @classmethod
    def now(cls, root: Path = ROOT) -> "Counters":
        """The counters that /proc and /sys under `root` tell."""
        cpus = _cpu_lines(root)
        fields = [int(text) for text in cpus[0]] if cpus else []
        per_second = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
        # user, nice, system, idle, iowait, irq, softirq, steal
        known = len(fields) >= 8
        return cls(
            at=time.perf_counter(),
            own=time.process_time(),
            waited=_waited(root),
            busy=sum((*fields[:3], *fields[5:7])) / per_second if known else None,
            stolen=fields[7] / per_second if known else None,
            throttled=_throttled(root),
            cores=max(1, len(cpus) - 1),
        )


def is_disturbed(before: Counters, after: Counters, threads: int) -> bool | None:
    """Whether other work held up `threads` own threads between two moments; None: not known.

    It did where the only one waited for a core (several wait for one another, too), where the
    machine was stolen from or throttled, or where others had more cores than the own threads left
    free, or a tenth of all: those share caches, memory and clock with them.
    """
    seconds = after.at - before.at
    waited = _between(before.waited, after.waited) if threads == 1 else None
    busy = _between(before.busy, after.busy)
    stolen = _between(before.stolen, after.stolen)
    throttled = _between(before.throttled, after.throttled)
    if waited is None and busy is None:
        return None
    grain = 2 * _TICK
    others = 0.0 if busy is None else busy - (after.own - before.own)
    free = min(_OTHERS * after.cores, max(0, after.cores - threads))
    return (
        (waited or 0.0) > _WAITED * seconds
        or (stolen or 0.0) > _STOLEN * seconds + grain
        or others > (free + _SPARE) * seconds + grain
        or (throttled or 0) > 0
    )


def _between(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _cpu_lines(root: Path) -> list[list[str]]:
    """The fields of the lines `cpu`, `cpu0`, `cpu1`, ... of /proc/stat; none where it is not."""
    try:
        lines = (root / "proc/stat").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line.split()[1:] for line in lines if line.startswith("cpu")]


def _waited(root: Path) -> float | None:
    """Seconds in a run queue, over all threads of this process."""
    total = 0
    try:
        threads = [entry.name for entry in (root / "proc/self/task").iterdir()]
    except OSError:
        return None
    for thread in threads:
        try:
            text = (root / f"proc/self/task/{thread}/schedstat").read_text(encoding="ascii")
            total += int(text.split()[1])
        except FileNotFoundError:
            continue  # the thread has ended, or the kernel keeps no such count
        except (OSError, ValueError, IndexError):
            return None
    return total / 1e9


def _throttled(root: Path) -> int | None:
    """Times that cores were slowed down for heat; None where that is not counted."""
    folder, name = root / "sys/devices/system/cpu", "thermal_throttle/core_throttle_count"
    try:
        found = [int(path.read_text(encoding="ascii")) for path in folder.glob(f"cpu[0-9]*/{name}")]
    except (OSError, ValueError):
        return None
    return sum(found) if found else None
