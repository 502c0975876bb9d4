"""`gaikan bench`: the whole run, from configuration to files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from gaikan import machine
from gaikan.config import Config
from gaikan.errors import ConfigError, GaikanError
from gaikan.experiment import Experiment, prepare
from gaikan.grid import Keys, Watcher, axes, cells, keys, resolve_device, run_cells
from gaikan.report import write
from gaikan.results import Network, accuracy, predictions, summary
from gaikan.store import Store


@dataclass(frozen=True)
class Outcome:
    """What the terminal shows at the end."""

    out: Path
    summary: pd.DataFrame
    about: str
    failed: list[dict[str, str]]


def bench(config: Config, out: Path, watcher: Watcher) -> Outcome:
    """Trains what the store lacks and writes every file of the run to `out`.

    Raises ConfigError and DataError before anything is trained or written, and GaikanError
    where every cell failed.
    """
    started = time.perf_counter()
    axes(config)
    device = resolve_device(config.device)
    experiment = prepare(config)
    with locked(out):
        store = Store(out / "store")
        store.sweep()
        todo = cells(config, device, experiment.parts, experiment.train.classes)
        entries = [keys(cell, experiment.train, experiment.test) for cell in todo]
        finished = run_cells(todo, experiment.train, experiment.test, store, watcher)
        networks, failed, stored = [], [], []
        for cell, result, at in zip(todo, finished, entries, strict=True):
            if result.trained is None or result.embedded is None:
                failed.append({"cell": cell.name, "reason": result.failure or "unknown"})
            else:
                networks.append(Network.of(cell, result.trained, result.embedded))
                stored.append(at)
        if not networks:
            raise GaikanError(f"every cell failed; {failed[0]['cell']}: {failed[0]['reason']}")
        trained = time.perf_counter() - started
        manifest = {
            "name": config.run_name,
            "config": config.model_dump(mode="json"),
            "seeds": list(config.all_seeds),
            "device": device,
            "precision": todo[0].recipe.train.precision,
            "data": experiment.describe(),
            "classes": list(experiment.train.classes),
            "ok": experiment.ok,
            "networks": [
                _describe(network, at) for network, at in zip(networks, stored, strict=True)
            ],
            "failed": failed,
            "skipped": [{"what": "inference latency", "why": "not timed by this version"}],
            "damaged_store_entries": store.damaged,
            "machine": machine.facts(device),
        }
        outcome = _write(out, experiment, networks, manifest, failed)
        manifest["seconds"] = {"training": trained, "all": time.perf_counter() - started}
        write.write_manifest(out, manifest)
        return outcome


def _describe(network: Network, stored: Keys) -> dict[str, Any]:
    return {
        "network": network.cell.network,
        "seed": network.cell.recipe.seed,
        "store": asdict(stored),
        "recipe": network.description["recipe"],
        "best_epoch": network.description["best_epoch"],
        "losses": network.description["losses"],
        "validation_scores": network.description["validation_scores"],
        "seconds": network.description["seconds"],
    }


def _write(
    out: Path,
    experiment: Experiment,
    networks: list[Network],
    manifest: dict[str, Any],
    failed: list[dict[str, str]],
) -> Outcome:
    table = predictions(networks, experiment)
    scores = accuracy(table, experiment.ok)
    best_first = summary(scores, table, experiment)
    about = write.about(best_first, experiment)
    write.write_predictions(out, table)
    write.write_tables(out, scores, best_first, about)
    write.write_confusions(out, table, experiment.test.classes)
    write.write_figures(out, experiment, networks, best_first)
    write.write_report(out, manifest, best_first, about)
    return Outcome(out, best_first, about, failed)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Holds the run folder; the system lets go of it when the process ends, however it ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"{out}: another gaikan run is writing here; wait for it or choose another --out"
        ) from None
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written ({error.strerror})") from None
    try:
        yield
    finally:
        lock.release()
