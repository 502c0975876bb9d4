"""`gaikan bench`: the whole run, from configuration to files, as a row of steps."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gaikan.config.model import Config
from gaikan.data.kept import KeptSources
from gaikan.data.run_sources import RunSources
from gaikan.errors import ConfigError, GaikanError
from gaikan.evaluation.copies import Copies, find_copies
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.findings import Findings, evaluate
from gaikan.evaluation.leaks import Leaks, audit
from gaikan.evaluation.original_protocol import original_cells
from gaikan.evaluation.references import Reference, run_references
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.trained_grid import Grid, train_grid
from gaikan.flow.unseen_run import check_unseen, leave_modes_out
from gaikan.grid.cells import axes, cells, resolve_device
from gaikan.grid.jobs import Watcher
from gaikan.report.accuracy_table import caption
from gaikan.report.pages import write_pages
from gaikan.report.reproduce import again_toml
from gaikan.report.run_pictures import PictureSources, write_accuracy_page, write_pictures
from gaikan.run_folder import bench_files
from gaikan.run_folder.describe import Making, describe_run, describe_sources, no_references
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.manifest import RunSeconds, read_manifest_if_any
from gaikan.run_folder.scorings import runs_that_scored
from gaikan.run_folder.sources_file import holds_run, refuse_other, write_sources
from gaikan.summary.page import PAGE
from gaikan.system import machine
from gaikan.system.code import code_version, package_version
from gaikan.system.files import sweep, write
from gaikan.system.lock import locked
from gaikan.system.machine import MachineFacts
from gaikan.system.store import Store, key_of, pack, unpack
from gaikan.timing.options import TimingOptions
from gaikan.training.cell import Cell
from gaikan.training.frozen_cells import BackboneFile, frozen_cells
from gaikan.training.weights import Weights, imported

if TYPE_CHECKING:  # Dask is an extra
    from gaikan.grid.dask.runner import Cluster
    from gaikan.grid.dask.workers import Workers


@dataclass(frozen=True)
class RunOutcome:
    """How a run has ended; its figures are in the folder `out`."""

    out: Path
    failed: list[FailedCell]
    kept: bool = False  # nothing has changed, and the files of the run before stay


def bench(
    config: Config,
    out: Path,
    watcher: Watcher,
    weights: Weights | None = None,
    replace_run: bool = False,
) -> RunOutcome:
    """Trains what the store lacks and writes every file of the run to `out`.

    With `weights` the grid is one cell, whose network comes from there. With `replace_run` the
    files of a run of other sources go first. Raises ConfigError and DataError before anything is
    trained or written, and GaikanError where every cell failed.
    """
    started = time.perf_counter()
    if (out / PAGE).exists():
        raise ConfigError(f"{out}: holds a summary of several runs; choose another --out")
    check_config(config)
    place = find_place(config, watcher)
    work = lay_out(config, place, Store(out / "store"), weights)
    with locked(out):
        take_folder(out, work, replace_run)
        grid = train_grid(work.cells, work.experiment, work.store, watcher, place.cluster)
        made_from = made_of(config, work.experiment, grid)
        if not work.store.damaged and is_unchanged(out, made_from, len(grid.failed)):
            return RunOutcome(out, grid.failed, kept=True)
        references = fit_references(config, work, watcher)
        unseen = leave_modes_out(config, place, work, watcher) if config.unseen else None
        if unseen is not None:
            grid = replace(grid, failed=[*grid.failed, *unseen.failed])
        trained = time.perf_counter() - started
        watcher.stage("looking for leaks")
        leaks = find_leaks(work.experiment, work.store)
        watcher.stage("writing the report")
        judges: list[EvaluatedNetwork | Reference] = [*grid.networks, *references]
        findings = evaluate(config, work.experiment, judges, grid.answers, leaks, unseen)
        bench_files.write_tables(out, findings, work.experiment.test.classes)
        about = explain(config, work, findings.summary)
        write_accuracy_page(out, findings.summary, about)
        if config.pictures:
            write_pictures(out, PictureSources.of(work.experiment, grid.networks, findings))
        seconds = RunSeconds(training=trained, all=time.perf_counter() - started)
        scored_by = runs_that_scored(out, work.experiment.test.fingerprint, made_from)
        making = Making(*place.machine, weights, made_from, scored_by, seconds)
        seal(out, config, work, grid, findings, making)
        if config.pictures:
            write_pages(out)
    return RunOutcome(out, grid.failed)


def check_config(config: Config) -> None:
    """Raises ConfigError for what is wrong without reading images or asking a cluster."""
    backbone_files(config)
    if config.timing.enabled:
        TimingOptions.of(config.timing.plan, config.timing.runtimes, config.timing.threads)
    if config.executor == "local":
        resolve_device(config.device)


def backbone_files(config: Config) -> list[BackboneFile]:
    """The files of the frozen architectures of the grid. Raises ConfigError."""
    return [
        BackboneFile.read(name, Path(config.network[name].onnx))
        for name in axes(config)[0]
        if name in config.network
    ]


@dataclass(frozen=True)
class CellPlace:
    """Where the cells run: on this machine, or on the workers of a cluster."""

    device: str  # cpu or cuda
    hardware: machine.Hardware | None  # None: this machine's own
    cluster: "Cluster | None" = None
    workers: "Workers | None" = None

    @property
    def machine(self) -> tuple[MachineFacts, int | None]:
        """Facts of what trains, and the number of its Dask workers (None: this machine)."""
        if self.workers is None:
            return MachineFacts.here(self.device), None
        return self.workers.machine(self.device), len(self.workers.facts)


def find_place(config: Config, watcher: Watcher) -> CellPlace:
    """The place that the configuration asks for, with the facts of its workers.

    Raises ConfigError.
    """
    if config.executor == "local":
        return CellPlace(resolve_device(config.device), None)
    try:
        from gaikan.grid.dask.runner import Cluster
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--executor {config.executor}: {error.name} is missing: pip install 'gaikan[dask]'"
        ) from None
    cluster = Cluster(config.executor.removeprefix("dask://"), config.worker_resources)
    workers = cluster.ask(watcher)
    for note in workers.notes:
        watcher.note(note)
    hardware = workers.hardware
    return CellPlace(resolve_device(config.device, hardware), hardware, cluster, workers)


@dataclass(frozen=True)
class Work:
    """The parts, the cells to train on them, and where the results are kept."""

    experiment: Experiment
    cells: list[Cell]
    store: Store
    given: dict[str, bytes]  # store entries that are not trained here, by key
    sources: RunSources
    backbones: list[BackboneFile]  # of frozen networks


def lay_out(config: Config, place: CellPlace, store: Store, weights: Weights | None) -> Work:
    """Reads and divides the sources, and lays out the grid. Raises ConfigError and DataError."""
    kept = KeptSources(store)
    experiment = prepare(config, kept.read)
    if config.unseen:
        check_unseen(config, experiment, weights)
    train, parts, ok = experiment.train, experiment.parts, experiment.ok
    todo = cells(config, place.device, parts, train, place.hardware, ok)
    given, sources = dict(kept.rendered), experiment.sources
    if weights is not None:
        (cell,) = todo
        network, content = imported(cell, weights, experiment.train)
        todo, given[network.trained_key] = [network], content
        sources = sources.model_copy(update={"weights": weights.source})
        noted = (*experiment.train.notes, weights.note)
        experiment = replace(experiment, train=replace(experiment.train, notes=noted))
    if config.protocol == "original":
        todo = [*todo, *original_cells(todo, experiment.train)]
    backbones = backbone_files(config)
    for file in backbones:
        more, entries, note = frozen_cells(
            file, config, place.device, tuple(axes(config)[2]), parts, train, ok
        )
        todo, given = [*todo, *more], given | entries
        noted = (*experiment.train.notes, note)
        experiment = replace(experiment, train=replace(experiment.train, notes=noted))
    return Work(experiment, todo, store, given, sources, backbones)


def take_folder(out: Path, work: Work, replace_run: bool) -> None:
    """Takes the folder for a run of these sources. Raises ConfigError where it holds another."""
    try:
        refuse_other(out, work.sources)
    except ConfigError:
        if not replace_run:
            raise
        bench_files.remove_run(out)
    write_sources(out, work.sources)
    sweep(out)
    for key, content in work.given.items():
        work.store.save(key, content)


def check_folder(config: Config, out: Path) -> None:
    """Raises ConfigError where `out` holds a run of other sources; reads the sources to tell."""
    if not holds_run(out):
        return
    try:
        experiment = prepare(config, KeptSources(Store(out / "store")).read)
    except GaikanError:  # reported when the run begins
        return
    refuse_other(out, experiment.sources)


def made_of(config: Config, experiment: Experiment, grid: Grid) -> str:
    """A hash of all that determines the run's files, except those of timing and picking."""
    return key_of(
        {
            "config": config.model_dump(mode="json"),
            "data": describe_sources(experiment).model_dump(mode="json"),
            "networks": [asdict(keys) for keys in grid.stored],
            "failed": [asdict(cell) for cell in grid.failed],
            "code": package_version(),
            "packages": machine.packages(),
        }
    )


def is_unchanged(out: Path, made_from: str, failed: int) -> bool:
    """Whether the run in the folder is made from the same, and whole.

    With more than the `failed` cells of its grid, some that left a mode out are to be tried again.
    """
    manifest = read_manifest_if_any(out)
    if manifest is None or manifest.made_from != made_from or len(manifest.failed) > failed:
        return False
    return bench_files.checksums(out, manifest.files) == manifest.files


def fit_references(config: Config, work: Work, watcher: Watcher) -> list[Reference]:
    """The classical references that the run is to have; images normalised as for the networks."""
    experiment = work.experiment
    if no_references(config, experiment) is not None:
        return []
    by_image = work.cells[0].recipe.train.normalise != "source"
    train, test, parts = experiment.train, experiment.test, experiment.parts
    return run_references(train, test, parts, by_image, work.store, watcher.stage)


def find_leaks(experiment: Experiment, store: Store) -> Leaks:
    """The audit of leaks; the copies that it finds are stored, as the search takes seconds."""
    train, test = experiment.train, experiment.test
    code = code_version("gaikan.evaluation.copies")
    key = key_of({"copies": [train.fingerprint, test.fingerprint], "code": code})
    content = store.load(key)
    if content is None:
        copies = find_copies(train.images, test.images)
        store.save(key, pack(asdict(copies), {}))
    else:
        copies = Copies(**unpack(content)[0])
    return audit(train, test, experiment.parts, copies)


def explain(config: Config, work: Work, summary: pd.DataFrame) -> str:
    """The caption of the accuracy table."""
    return caption(summary, describe_sources(work.experiment).test, config.factory).en


def seal(
    out: Path, config: Config, work: Work, grid: Grid, findings: Findings, making: Making
) -> None:
    """Writes the manifest with the checksums of the files: from now on the run is whole."""
    leaks, first = findings.leaks, work.cells[0]
    manifest = describe_run(config, work.experiment, first, grid, leaks, work.store, making)
    files = bench_files.checksums(out, bench_files.names(findings, grid.networks, config.pictures))
    bench_files.write_manifest(out, manifest.model_copy(update={"files": files}))
    write(out / AGAIN, again_toml(config, out / AGAIN, work.experiment.ok))
