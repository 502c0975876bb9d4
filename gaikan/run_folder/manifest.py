"""`manifest.json`: what makes a folder a run folder."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from gaikan.errors import ConfigError
from gaikan.system import json_files

_AGAIN = "run `gaikan bench` again"


class _Stored(TypedDict):
    trained: str
    embedded: str


class _Recipe(TypedDict):
    arch: str
    style: str
    train: NotRequired[dict[str, Any]]  # not of weights that were imported


class _Network(TypedDict):
    network: str
    seed: int
    store: _Stored
    recipe: _Recipe


class _Part(TypedDict):
    source: str
    images: int
    shape: Annotated[list[int], Field(min_length=3, max_length=3)]
    fingerprint: str
    groups: int | None
    notes: list[str]


class _Data(TypedDict):
    train: _Part
    test: _Part


class _Failed(TypedDict):
    cell: str  # its name, for people
    arch: str
    style: str
    seed: int
    protocol: str
    reason: str


class _Skipped(TypedDict):
    what: str
    why: str


class _Machine(TypedDict):
    system: str
    processor: str
    cores: int
    memory_gib: float | None
    gpu: str | None
    python: str
    packages: dict[str, str | None]
    commit: str | None


class _Constant(TypedDict):
    training: int
    test: int


class _Leaks(TypedDict):
    test_parts_with_exact_copy_in_training: int
    test_parts_with_near_copy_in_training: int
    validation_images_with_copy_in_fit: dict[str, int]
    groups_in_training_and_test: list[str]
    test_parts_of_those_groups: int
    test_parts_searched_for_near_copies: NotRequired[int]  # of an older run: all
    constant_images: _Constant
    identical_images_with_different_labels: int


class _Weights(TypedDict):
    file: str


class _Seconds(TypedDict):
    training: float
    all: float


class _Manifest(TypedDict):
    """What other commands read of it; older ones, and those of tests, hold less."""

    networks: list[_Network]
    name: NotRequired[str]
    config: NotRequired[dict[str, Any]]
    seeds: NotRequired[list[int]]
    device: NotRequired[str]
    precision: NotRequired[str]
    data: NotRequired[_Data]
    classes: NotRequired[list[str]]
    ok: NotRequired[str | None]
    failed: NotRequired[list[_Failed]]
    skipped: NotRequired[list[_Skipped]]
    leaks: NotRequired[_Leaks]
    anchors: NotRequired[list[str]]
    timing_inputs: NotRequired[str]
    weights: NotRequired[_Weights | None]
    made_from: NotRequired[str]
    files: NotRequired[dict[str, str]]  # sha256 of what the run wrote, by path
    machine: NotRequired[_Machine]
    seconds: NotRequired[_Seconds]


@cache
def _shape() -> TypeAdapter[Any]:
    return TypeAdapter(_Manifest)


def read_manifest(out: Path, *needed: str) -> dict[str, Any]:
    """The manifest of the run in `out`.

    Raises ConfigError where there is none, where it is damaged, or lacks a `needed` key.
    """
    path = out / "manifest.json"
    try:
        manifest = json_files.parse(path.read_bytes())
    except OSError:
        raise ConfigError(
            f"{out}: no run folder (no manifest.json in it); `gaikan bench` makes one"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error}); {_AGAIN}") from None
    if not isinstance(manifest, dict) or "networks" not in manifest:
        raise ConfigError(f"{path}: not the manifest of a run; `gaikan bench` makes one")
    for key in needed:
        if key not in manifest:
            raise ConfigError(f"{path}: key {key!r} is missing; {_AGAIN}")
    json_files.check(manifest, _shape(), path, _AGAIN)
    found: dict[str, Any] = manifest
    return found
