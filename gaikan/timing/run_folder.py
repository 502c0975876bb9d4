"""What is timed: a run folder, and how it is asked for."""

import json
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from gaikan import machine
from gaikan.config import TimingConfig
from gaikan.errors import ConfigError
from gaikan.store import Store, code_version, key_of
from gaikan.timing.runtimes import chosen


@dataclass(frozen=True)
class Options:
    """What is timed and how long."""

    plan: str = "default"  # a key of PLANS
    runtimes: tuple[str, ...] | None = None  # labels; None: all but the optional ones
    threads: tuple[int, ...] | None = None  # None: 1 and all cores; quick, all cores
    include_decode: bool = False
    machine: str | None = None  # None: the host's name

    @classmethod
    def of(cls, config: TimingConfig) -> "Options":
        """As a configuration asks. Raises ConfigError on what this machine or gaikan has not."""
        options = cls(config.plan, config.runtimes, config.threads)
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
        default = (cores,) if self.plan == "quick" else (1, cores)
        return sorted(set(self.threads or default))


@dataclass(frozen=True)
class Run:
    """A run folder, as far as timing goes."""

    out: Path
    networks: tuple[dict[str, Any], ...]  # of the manifest
    anchors: tuple[str, ...]
    inputs_key: str
    store: Store

    @classmethod
    def read(cls, out: Path) -> "Run":
        """Raises ConfigError where `out` is no run folder with what timing needs."""
        try:
            manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ConfigError(
                f"{out}: no run folder (no readable manifest.json); `gaikan bench` makes one"
            ) from None
        key = manifest.get("timing_inputs")
        if key is None:
            raise ConfigError(f"{out}: made by an older gaikan; run `gaikan bench` on it again")
        networks = tuple(manifest["networks"])
        anchors = tuple(manifest["anchors"])
        return cls(out, networks, anchors, key, Store(out / "store"))

    def entry(self, key: str) -> bytes:
        """A store entry. Raises ConfigError where it is gone."""
        content = self.store.load(key)
        if content is None:
            raise ConfigError(
                f"{self.store.folder}: entry {key} is missing or damaged; "
                "run `gaikan bench` on this folder again"
            )
        return content

    def scored(self, all_seeds: bool) -> list[dict[str, Any]]:
        """The networks whose predictions are scored: of the first seed, or of all."""
        first = min(network["seed"] for network in self.networks)
        return [n for n in self.networks if all_seeds or n["seed"] == first]

    def timing_key(self, options: Options) -> str:
        """What determines a timing, but for the weather: an equal one need not be repeated."""
        packages = ("torch", "onnxruntime", "openvino", "onnx")
        return key_of(
            {
                "networks": [network["store"] for network in self.networks],
                "inputs": self.inputs_key,
                "options": asdict(options) | {"machine": options.machine_name},
                "processor": [machine.processor(), machine.cores()],
                "packages": [_version(package) for package in packages],
                "code": code_version(
                    "gaikan.inspector",
                    *(f"gaikan.timing.{name}" for name in ("time_run", "models", "session")),
                ),
            }
        )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
