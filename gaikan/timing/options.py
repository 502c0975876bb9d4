"""What a timing is asked for: how long, in which runtimes, on how many threads."""

import platform
from dataclasses import dataclass

from gaikan.errors import ConfigError
from gaikan.system import machine
from gaikan.timing.runtimes import chosen


@dataclass(frozen=True)
class TimingOptions:
    """The choices of one timing."""

    plan: str = "default"  # a key of PLANS
    runtimes: tuple[str, ...] | None = None  # labels; None: all but the optional ones
    threads: tuple[int, ...] | None = None  # None: 1, which stages ask for, and all cores
    include_decode: bool = False
    machine: str | None = None  # None: the host's name

    @classmethod
    def of(
        cls, plan: str, runtimes: tuple[str, ...] | None, threads: tuple[int, ...] | None
    ) -> "TimingOptions":
        """Options that this machine can meet. Raises ConfigError where it cannot."""
        options = cls(plan, runtimes, threads)
        chosen(options.runtimes)
        _ = options.all_threads
        return options

    @property
    def machine_name(self) -> str:
        """The machine's name in `latency.csv`."""
        return self.machine or platform.node() or "this machine"

    @property
    def all_threads(self) -> list[int]:
        """Each number of threads, ascending. Raises ConfigError on an impossible one."""
        cores = machine.cores()
        for count in self.threads or ():
            if not 1 <= count <= cores:
                raise ConfigError(f"timing on {count} threads: this machine has {cores} cores")
        return sorted(set(self.threads or (1, cores)))
