"""`latency.json`: what the last timing in a run folder timed, and how."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from gaikan.errors import ConfigError
from gaikan.system import json_files
from gaikan.system.json_files import JsonModel

CSV, FACTS = "latency.csv", "latency.json"

M = TypeVar("M", bound=JsonModel)


class RuleFacts(JsonModel):
    """How long a case was measured at least; both hold."""

    seconds: float
    queries: int


class PlanFacts(JsonModel):
    """How everything was measured, as `SamplingPlan` has it."""

    name: str
    single: RuleFacts
    offline: RuleFacts
    batches: tuple[int, ...]
    rounds: int
    more_rounds: int
    warm_up: float
    head_batches: tuple[int, ...] | None
    longest: float | None


class SpeedCheck(JsonModel):
    """How fast another network of the same computation is, as a ratio; 1 is as claimed."""

    model: str
    runtime: str
    threads: int | None
    value: float
    low: float | None
    high: float | None


class RooflineFacts(JsonModel):
    """What the machine allows, in a precision with so many threads."""

    precision: str
    threads: int | None
    gemm_gflops: float
    library: str
    bandwidth_gb_per_s: dict[Annotated[int, Field(ge=0, le=2**60)], float]  # by bytes of a block


class TimingFacts(JsonModel):
    """What the rows of the run's own timing stand on."""

    key: str  # hash of all that determines a timing
    networks: tuple[str, ...]  # their store keys
    machine: str
    processor: str
    cores: int
    threads: Annotated[tuple[int, ...], Field(min_length=1)]
    plan: PlanFacts
    includes_decode: bool
    scored_seeds: tuple[int, ...]
    scored_images: int
    once_per_computation: tuple[SpeedCheck, ...]
    ran: float | None  # share of its time that a single thread really ran
    batch_memory: int | None  # bytes
    roofline: tuple[RooflineFacts, ...]
    seconds: float
    processor_seconds: float


class _TimedNetworks(JsonModel):
    """What the file must tell at least."""

    networks: tuple[str, ...]


def read_facts(out: Path) -> TimingFacts | None:
    """What the last timing in the run folder left.

    None where there is no table with it, where it is damaged, or does not say how it was timed.
    """
    return _read(TimingFacts, out)


def timed_networks(out: Path) -> tuple[str, ...] | None:
    """The store keys of the networks that the last timing was of; None as with `read_facts`."""
    found = _read(_TimedNetworks, out)
    return None if found is None else found.networks


def _read(model: type[M], out: Path) -> M | None:
    path = out / FACTS
    if not (out / CSV).exists():
        return None
    try:
        return json_files.read(model, path.read_bytes(), path, "")
    except (OSError, ConfigError):
        return None
