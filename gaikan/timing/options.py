"""How a timing is asked for."""

import platform
from dataclasses import dataclass

from gaikan.errors import ConfigError
from gaikan.system import machine
from gaikan.timing.runtimes import chosen


@dataclass(frozen=True)
class TimingOptions:
    """What is timed and how long."""

    plan: str = "default"  # a key of PLANS
    runtimes: tuple[str, ...] | None = None  # labels; None: all but the optional ones
    threads: tuple[int, ...] | None = None  # None: 1, which stages ask for, and all cores
    include_decode: bool = False
    machine: str | None = None  # None: the host's name

    @classmethod
    def of(
        cls, plan: str, runtimes: tuple[str, ...] | None, threads: tuple[int, ...] | None
    ) -> "TimingOptions":
        """As a configuration asks. Raises ConfigError on what this machine or gaikan has not."""
        options = cls(plan, runtimes, threads)
        chosen(options.runtimes)
        _ = options.all_threads
        return options

    @property
    def machine_name(self) -> str:
        """What the rows call this machine."""
        return self.machine or platform.node() or "this machine"

    @property
    def all_threads(self) -> list[int]:
        """Each number of threads, ascending. Raises ConfigError on an impossible one."""
        cores = machine.cores()
        for count in self.threads or ():
            if not 1 <= count <= cores:
                raise ConfigError(f"timing on {count} threads: this machine has {cores} cores")
        return sorted(set(self.threads or (1, cores)))
