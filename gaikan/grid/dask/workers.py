"""Connecting to a scheduler, and asking its workers what they are."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dask
from distributed import Client

from gaikan.errors import ConfigError, first_line
from gaikan.grid.dask.worker import WorkerFacts, check_versions, facts, versions
from gaikan.system.machine import Hardware, MachineFacts

_CONNECT_SECONDS = 5
_CLOSE_SECONDS = 2


class NobodyError(ConfigError):
    """No scheduler answers, or it has no worker that may run cells."""


@dataclass(frozen=True)
class Workers:
    """The workers that may run cells, by address."""

    facts: dict[str, WorkerFacts]
    threads: dict[str, int]

    @property
    def hardware(self) -> Hardware:
        """The hardware that all of them have."""
        every = self.facts.values()
        bf16 = {d: all(facts["bf16"][d] for facts in every) for d in ("cpu", "cuda")}
        lacking = [address for address, facts in self.facts.items() if not facts["cuda"]]
        where = f"on Dask worker {lacking[0]} ({len(lacking)} of {len(every)})" if lacking else ""
        return Hardware(not lacking, bf16, where)

    def machine(self, device: str) -> MachineFacts:
        """The machine that a report names: the first worker's, with the processors of all."""
        machines = [facts["machine"] for facts in self.facts.values()]
        processors = ", ".join(dict.fromkeys(machine["processor"] for machine in machines))
        gpu = machines[0]["gpu"] if device == "cuda" else None
        return MachineFacts(**machines[0] | {"processor": processors, "gpu": gpu})

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know of them."""
        several = [address for address, threads in self.threads.items() if threads > 1]
        if several:
            yield (
                f"Dask worker {several[0]} ({len(several)} of {len(self.threads)}) has several "
                "threads, but a process trains one cell at a time: start more workers, each with "
                "--nthreads 1"
            )


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the scheduler at `address` (HOST:PORT). Raises NobodyError within seconds."""
    _quiet()
    try:
        client = Client(f"tcp://{address}", timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NobodyError(
            f"no Dask scheduler answers at {address} ({first_line(error)}); "
            "start one with `dask scheduler`"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=_CLOSE_SECONDS)


def ask(client: Client, resources: dict[str, float], tell: Callable[[str], None]) -> Workers:
    """The workers that have the `resources`, each asked for its facts.

    Raises NobodyError where there are none, ConfigError where one has other versions.
    """
    try:
        known = client.scheduler_info()["workers"]
    except OSError as error:
        raise NobodyError(f"the Dask scheduler at {_address(client)} has gone ({error})") from None
    able = {
        name: worker
        for name, worker in known.items()
        if all(worker["resources"].get(kind, 0) >= amount for kind, amount in resources.items())
    }
    if not able:
        kind = f" with {_list(resources)}" if resources else ""
        among = f" among its {len(known)}" if known else ""
        start = f" --resources '{_list(resources)}'" if resources else ""
        raise NobodyError(
            f"the Dask scheduler at {_address(client)} has no worker{kind}{among}; "
            f"start one with `dask worker {_address(client)} --nthreads 1{start}`"
        )
    tell(f"asking {len(able)} Dask workers what they are")
    try:
        answers = client.run(facts, workers=list(able), on_error="return")
    except OSError as error:
        raise NobodyError(f"the Dask scheduler at {_address(client)} has gone ({error})") from None
    # An OSError: this worker has gone meanwhile.
    answers = {name: answer for name, answer in answers.items() if not isinstance(answer, OSError)}
    if not answers:
        raise NobodyError(f"the workers of the Dask scheduler at {_address(client)} do not answer")
    for name, answer in answers.items():
        if isinstance(answer, BaseException):
            raise ConfigError(
                f"Dask worker {name} cannot run gaikan ({first_line(answer)}); "
                "install there what is here"
            )
        check_versions(name, answer["versions"], versions())
    return Workers(answers, {name: able[name]["nthreads"] for name in answers})


def _list(resources: dict[str, float]) -> str:
    return ",".join(f"{name}={amount:g}" for name, amount in resources.items())


def _address(client: Client) -> str:
    assert client.scheduler is not None  # it is connected
    return str(client.scheduler.address).removeprefix("tcp://")


def _quiet() -> None:
    """No log lines: errors are reported in one line of our own. No warning of large arguments."""
    for name in ("distributed", "distributed.client", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})
