"""`picks.json`, read back: the form that the package's docstring gives."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter
from typing_extensions import TypedDict

from gaikan.config.stages import Objective, is_constraint
from gaikan.errors import ConfigError
from gaikan.system import json_files

_Figure = Annotated[float, Field(allow_inf_nan=False)] | None
_Value = _Figure | str


def _known(name: str) -> str:
    if not is_constraint(name):
        raise ValueError(f"no constraint {name[:80]!r}")
    return name


_Name = Annotated[str, AfterValidator(_known)]

# Not as a class: `is` is a word of Python's own.
_Ends = TypedDict("_Ends", {"min": _Figure, "max": _Figure, "is": list[str] | None})


class _Limit(_Ends):
    name: _Name


class _Quality(TypedDict):
    accuracy: _Figure
    escapes: int | None  # this and what follows: null where no class means good
    defects: int | None
    escape_rate: _Figure
    escape_bound: _Figure
    overkills: int | None
    goods: int | None
    overkill_rate: _Figure


class _MeanQuality(TypedDict):
    accuracy: _Figure  # counts are means too, and not read


class _Mean(TypedDict):
    seeds: int
    test: _MeanQuality


class _Timing(TypedDict):
    p50_ms: _Figure
    p99_ms: _Figure


class _Place(TypedDict):
    variant: str
    seed: int
    machine: str
    runtime: str
    precision: str
    threads: int | None
    threshold: _Figure


class _Bundle(TypedDict):
    runtime: Literal["onnx", "openvino"]
    precision: Literal["fp32", "int8"]
    needs: str


class _Check(_Ends):
    constraint: _Name
    value: _Value
    passed: bool
    test: _Value


class _Candidate(_Place):
    bundle: _Bundle | None
    timing: _Timing
    test: _Quality
    mean_over_seeds: _Mean | None
    checks: list[_Check]


class _RunnerUp(_Candidate):
    why: str


class _Miss(_Candidate):
    would_have_to_give: list[str]


class _Brief(_Place):
    values: dict[_Name, _Value]
    failed: list[_Name]


class _Binding(TypedDict):
    why: str


class _Promise(TypedDict):
    method: str
    level: float
    networks: int
    holds_for: list[str]


class _Step(TypedDict):
    ceiling: _Figure
    from_ms: _Figure
    to_ms: _Figure
    variant: str | None
    runtime: str | None
    precision: str | None
    threads: int | None
    accuracy: _Figure
    escape_rate: _Figure


class _Sensitivity(TypedDict):
    steps: list[_Step]


class _Stage(TypedDict):
    description: str
    objective: Objective
    constraints: list[_Limit]
    pick: _Candidate | None
    why: str
    warnings: list[str]
    binding: list[_Binding]
    runners_up: list[_RunnerUp]
    nearest_miss: _Miss | None
    beyond: str | None
    promise: _Promise | None
    sensitivity: _Sensitivity
    candidates: list[_Brief]


def _consistent(stage: _Stage) -> _Stage:
    names = {limit["name"] for limit in stage["constraints"]}
    if not all(names <= set(candidate["values"]) for candidate in stage["candidates"]):
        raise ValueError("a candidate lacks the value of a constraint")
    return stage


class _Picks(TypedDict):
    format: Literal[1]
    timing: str | None
    ok: str | None
    stages: dict[str, Annotated[_Stage, AfterValidator(_consistent)]]


@cache
def _shape() -> TypeAdapter[Any]:
    return TypeAdapter(_Picks)


def read_picks(path: Path) -> dict[str, Any] | None:
    """The content of the file; None where there is none. Raises ConfigError naming file and key."""
    remedy = "`gaikan pick` writes it anew"
    try:
        picks: dict[str, Any] = json_files.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error}); {remedy}") from None
    json_files.check(picks, _shape(), path, remedy)
    return picks
