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
from gaikan.report import latency, write
from gaikan.results import Network, accuracy, predictions, summary
from gaikan.store import Store
from gaikan.timing.inputs import Inputs
from gaikan.timing.rows import Row
from gaikan.timing.run_folder import Options, Run
from gaikan.timing.session import Report
from gaikan.timing.time_run import time_run


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
        finished = run_cells(todo, experiment.train, experiment.test, store, watcher)
        networks, failed, stored = [], [], []
        for cell, result in zip(todo, finished, strict=True):
            if result.trained is None or result.embedded is None:
                failed.append({"cell": cell.name, "reason": result.failure or "unknown"})
            else:
                networks.append(Network.of(cell, result.trained, result.embedded))
                stored.append(keys(cell, experiment.train, experiment.test))
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
            "skipped": [],
            "anchors": list(todo[0].anchors),
            "timing_inputs": _keep_inputs(experiment, store),
            "damaged_store_entries": store.damaged,
            "machine": machine.facts(device),
        }
        outcome = _write(out, experiment, networks, manifest, failed)
        manifest["seconds"] = {"training": trained, "all": time.perf_counter() - started}
        write.write_manifest(out, manifest)
        return outcome


def _keep_inputs(experiment: Experiment, store: Store) -> str:
    """The store key of what `gaikan time` needs besides the networks."""
    key = Inputs.key(experiment)
    if store.load(key) is None:
        store.save(key, Inputs.of(experiment).pack())
    return key


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


@dataclass(frozen=True)
class Latency:
    """What the terminal shows after timing; `kept` where an earlier one still holds."""

    rows: list[Row]
    kept: bool


def time_networks(
    out: Path, options: Options, report: Report, csv: Path | None = None, again: bool = True
) -> Latency:
    """Times the run in `out` and writes `latency.*` there, or the table alone to `csv`.

    With `again` false, an earlier timing of the same networks, machine and options is kept.
    Raises ConfigError where `out` lacks what timing needs.
    """
    run = Run.read(out)
    with locked(out):
        facts = latency.read_facts(out)
        if not again and facts is not None and facts["key"] == run.timing_key(options):
            return Latency(latency.write_pages(out), kept=True)
        timing = time_run(run, options, report)
        latency.write_timing(out, timing, csv)
    return Latency(timing.rows, kept=False)


def merge_latency(out: Path, tables: list[Path]) -> Latency:
    """Merges tables of `gaikan time` into the run. Raises DataError where they do not fit."""
    return Latency(latency.merge_into(out, tables), kept=False)


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
