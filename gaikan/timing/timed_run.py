"""What is timed: the networks of a run folder."""

from dataclasses import asdict, dataclass
from pathlib import Path

from gaikan.errors import ConfigError
from gaikan.run_folder.manifest import NetworkEntry, read_manifest
from gaikan.system import machine
from gaikan.system.code import code_version
from gaikan.system.store import Store, key_of
from gaikan.timing.options import TimingOptions


@dataclass(frozen=True)
class TimedRun:
    """A run folder, as far as timing goes."""

    out: Path
    networks: tuple[NetworkEntry, ...]
    anchors: tuple[str, ...]
    inputs_key: str
    store: Store

    @classmethod
    def read(cls, out: Path) -> "TimedRun":
        """Raises ConfigError where `out` is no run folder."""
        manifest = read_manifest(out)
        store = Store(out / "store")
        return cls(out, manifest.networks, manifest.anchors, manifest.timing_inputs, store)

    def entry(self, key: str) -> bytes:
        """A store entry. Raises ConfigError where it is gone."""
        content = self.store.load(key)
        if content is None:
            raise ConfigError(
                f"{self.store.folder}: entry {key} is missing or damaged; "
                "run `gaikan bench` on this folder again"
            )
        return content

    def scored(self, all_seeds: bool) -> list[NetworkEntry]:
        """The networks whose predictions are scored: of the first seed, or of all."""
        first = min(network.seed for network in self.networks)
        return [n for n in self.networks if all_seeds or n.seed == first]

    def timing_key(self, options: TimingOptions) -> str:
        """A hash of what a timing depends on: with the same key, an earlier timing still holds."""
        packages = ("torch", "onnxruntime", "openvino", "onnx")
        return key_of(
            {
                "networks": [asdict(network.store) for network in self.networks],
                "inputs": self.inputs_key,
                "options": asdict(options) | {"machine": options.machine_name},
                "processor": [machine.processor(), machine.cores()],
                "packages": [machine.version(package) for package in packages],
                "code": code_version("gaikan.timing.time_networks"),
            }
        )
