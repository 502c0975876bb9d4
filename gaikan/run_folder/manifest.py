"""`manifest.json`: what makes a folder a run folder."""

from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from gaikan.config.model import Config
from gaikan.errors import ConfigError
from gaikan.evaluation.failed_cell import FailedCell
from gaikan.language.words import Words
from gaikan.system import json_files
from gaikan.system.json_files import JsonModel
from gaikan.system.machine import MachineFacts
from gaikan.system.store import Keys

MANIFEST = "manifest.json"
Part = Literal["train", "test"]


class SourceEntry(JsonModel):
    """One of the two sources of a run, as it was read."""

    source: str
    images: int
    shape: tuple[int, int, int]  # channels, height, width
    dtype: str
    fingerprint: str
    groups: int | None  # how many lots
    effective_groups: float | None  # how many equally large lots would say as much of others
    notes: tuple[Words, ...]  # what the reader left out or changed


class SourceEntries(JsonModel):
    """Both sources."""

    train: SourceEntry
    test: SourceEntry

    @property
    def both(self) -> tuple[tuple[Part, SourceEntry], tuple[Part, SourceEntry]]:
        """By name."""
        return ("train", self.train), ("test", self.test)


class NetworkRecipe(JsonModel):
    """What a network was trained with; of weights that were imported, `train` and such are None."""

    arch: str
    style: str
    options: dict[str, JsonValue] | None = None
    train: dict[str, JsonValue] | None = None
    augment: dict[str, JsonValue] | None = None
    seed: int


class NetworkEntry(JsonModel):
    """A trained network."""

    network: str
    seed: int
    store: Keys
    recipe: NetworkRecipe
    best_epoch: int
    losses: tuple[float, ...]  # by epoch
    validation_scores: dict[str, float]  # by epoch
    seconds: float


class ConstantImages(JsonModel):
    """How many images have no contrast."""

    training: int
    test: int


class LeakCounts(JsonModel):
    """What the leak audit counted; the pairs of copies are in `leaks.csv`."""

    test_parts_with_exact_copy_in_training: int
    test_parts_with_near_copy_in_training: int
    test_parts_named_as_one_in_training: int  # of no other kind
    test_parts_searched_for_near_copies: int
    validation_images_with_copy_in_fit: dict[str, int]  # by seed
    pairs: dict[str, int]  # by kind and parts, such as "near train test"
    pairs_with_different_labels: int
    groups_in_training_and_test: tuple[str, ...]
    test_parts_of_those_groups: int
    constant_images: ConstantImages
    identical_images_with_different_labels: int


class Skipped(JsonModel):
    """What the run leaves out."""

    what: Words
    why: Words


class ImportedWeights(JsonModel):
    """The file that the networks come from."""

    file: str
    sha256: str
    mean: float | None
    std: float | None


class RunSeconds(JsonModel):
    """Wall time."""

    training: float
    all: float


class Manifest(JsonModel):
    """A run: what it was asked for, what it worked on, what came of it."""

    name: str
    config: Config
    seeds: tuple[int, ...]
    device: str
    precision: str
    normalise: str
    data: SourceEntries
    classes: tuple[str, ...]
    ok: str | None  # name of the good class
    networks: tuple[NetworkEntry, ...]
    failed: tuple[FailedCell, ...]
    leaks: LeakCounts
    skipped: tuple[Skipped, ...]
    anchors: tuple[str, ...]
    timing_inputs: str  # store key of what `gaikan time` needs besides the networks
    damaged_store_entries: tuple[str, ...]
    machine: MachineFacts
    workers: int | None = None  # of Dask; None: trained on this machine
    weights: ImportedWeights | None
    made_from: str  # hash of all that determines the run's files
    test_scored_by: tuple[str, ...]  # `made_from` of each run here that scored the same test part
    seconds: RunSeconds
    files: dict[str, str]  # sha256 of what the run wrote, by path

    @property
    def trained(self) -> tuple[str, ...]:
        """The store keys of its networks."""
        return tuple(network.store.trained for network in self.networks)


def read_manifest(out: Path) -> Manifest:
    """That of the run in `out`. Raises ConfigError where there is none, or a damaged one."""
    path = out / MANIFEST
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ConfigError(f"{path}: is not a file; move it away and run `gaikan bench` again")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"{out}: no run folder (no manifest.json in it); `gaikan bench` makes one"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    return json_files.read(Manifest, content, path, "run `gaikan bench` again")


def read_manifest_if_any(out: Path) -> Manifest | None:
    """None where the folder has had no run, one that has not ended, or a damaged manifest."""
    try:
        return read_manifest(out)
    except ConfigError:
        return None
