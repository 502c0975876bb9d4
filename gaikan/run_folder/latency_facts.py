"""`latency.json`: what the last timing in a run folder timed, and how."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from gaikan.errors import ConfigError
from gaikan.system import json_files

FACTS = "latency.json"


class _Timed(TypedDict):
    networks: list[str]


class _Rule(TypedDict):
    seconds: float
    queries: int


class _Plan(TypedDict):
    single: _Rule
    offline: _Rule
    rounds: int
    head_batches: list[int] | None


class _Ratio(TypedDict):
    value: float


class _Roof(TypedDict):
    precision: str
    threads: int | None
    gemm_gflops: float
    library: str
    bandwidth_gb_per_s: dict[Annotated[str, Field(pattern=r"^[0-9]{1,18}$")], float]


class _Facts(_Timed):
    key: str
    machine: str
    plan: _Plan
    threads: Annotated[list[int], Field(min_length=1)]
    scored_seeds: list[int]
    scored_images: int
    once_per_computation: list[_Ratio]
    ran: float | None
    batch_memory: int | None
    roofline: list[_Roof]
    seconds: float
    processor_seconds: float


@cache
def _shapes() -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    return TypeAdapter(_Timed), TypeAdapter(_Facts)


def read_facts(out: Path) -> dict[str, Any] | None:
    """What the last timing in the run folder left; None where there is none, or a damaged one.

    Of one that does not say how it was timed, `networks` alone.
    """
    path = out / FACTS
    timed, whole = _shapes()
    try:
        facts: dict[str, Any] = json_files.parse(path.read_bytes())
        json_files.check(facts, timed, path, "")
    except (OSError, ValueError, ConfigError):
        return None
    try:
        json_files.check(facts, whole, path, "")
    except ConfigError:
        return {"networks": facts["networks"]}
    return facts
