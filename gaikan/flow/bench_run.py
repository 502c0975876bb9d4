"""`gaikan bench`: the whole run, from configuration to files."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.config.model import Config
from gaikan.data.kept import KeptSources
from gaikan.data.run_sources import RunSources
from gaikan.errors import ConfigError, GaikanError
from gaikan.evaluation.copies import Copies, find_copies
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.evaluation.leaks import Leaks, audit
from gaikan.evaluation.original_protocol import optimism, original_cells
from gaikan.evaluation.rates import rates as rate_table
from gaikan.evaluation.rates import recalls
from gaikan.evaluation.references import Reference, run_references
from gaikan.evaluation.results import EvaluatedNetwork, accuracy, judged, predictions, summary
from gaikan.evaluation.trained_grid import FailedCell, Grid, train_grid
from gaikan.grid.cells import axes, cells, resolve_device
from gaikan.grid.jobs import Watcher
from gaikan.report import run_files
from gaikan.report.findings import Findings
from gaikan.report.pages import write_pages
from gaikan.run_folder.describe import describe_run, no_references
from gaikan.run_folder.manifest import read_manifest
from gaikan.run_folder.sources_file import holds_run, refuse_other, write_sources
from gaikan.run_folder.whole import RunFolder
from gaikan.summary.page import PAGE
from gaikan.system import machine
from gaikan.system.code import code_version, package_version
from gaikan.system.files import sweep
from gaikan.system.lock import locked
from gaikan.system.store import Store, key_of, pack, unpack
from gaikan.timing.options import TimingOptions
from gaikan.training.cell import Cell
from gaikan.training.weights import Weights, imported

if TYPE_CHECKING:  # Dask is an extra
    from gaikan.grid.dask.runner import Cluster
    from gaikan.grid.dask.workers import Workers


@dataclass(frozen=True)
class RunOutcome:
    """What the terminal shows at the end."""

    out: Path
    summary: pd.DataFrame
    about: str  # caption of the summary
    rates: pd.DataFrame | None  # with an ok class
    failed: list[FailedCell]
    kept: bool = False  # nothing had changed, and the files of the run before stand


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
    cluster, workers = _cluster(config, watcher)
    hardware = None if workers is None else workers.hardware
    device = resolve_device(config.device, hardware)
    store = Store(out / "store")
    sources = KeptSources(store)
    experiment = prepare(config, sources.read)
    todo = cells(config, device, experiment.parts, experiment.train, hardware)
    given = dict(sources.rendered)  # store entries that are not trained here
    made_of = experiment.sources
    if weights is not None:
        (cell,) = todo
        network, content = imported(cell, weights, experiment.train)
        todo, given[network.trained_key] = [network], content
        made_of = made_of.model_copy(update={"weights": weights.source})
        noted = (*experiment.train.notes, weights.note)
        experiment = replace(experiment, train=replace(experiment.train, notes=noted))
    with locked(out):
        _begin(out, made_of, replace_run)
        sweep(out)
        for key, content in given.items():
            store.save(key, content)
        if config.protocol == "original":
            todo += original_cells(todo, experiment.train)
        grid = train_grid(todo, experiment, store, watcher, cluster)
        made_from = _made_from(config, experiment, grid)
        before = None if store.damaged else _unchanged(out, made_from)
        if before is not None:
            caption = run_files.about(before.summary, experiment).en
            return RunOutcome(out, before.summary, caption, before.rates, grid.failed, kept=True)
        references = _references(config, experiment, todo[0], store, watcher)
        trained = time.perf_counter() - started
        watcher.stage("looking for leaks")
        leaks = _leaks(experiment, store)
        watcher.stage("writing the report")
        manifest = describe_run(config, experiment, todo[0], grid, leaks, store)
        if workers is not None:
            manifest |= {"machine": workers.machine(device), "workers": len(workers.facts)}
        manifest["weights"] = None if weights is None else weights.describe()
        found = _figures(config, experiment, grid.networks, references, grid.answers, leaks)
        _write(out, experiment, grid.networks, found)
        outcome = RunOutcome(out, found.summary, found.about.en, found.rates, grid.failed)
        files = run_files.checksums(out, run_files.names(found, grid.networks))
        manifest |= {"made_from": made_from, "files": files}
        manifest["seconds"] = {"training": trained, "all": time.perf_counter() - started}
        run_files.write_manifest(out, manifest)
        write_pages(out)
        return outcome


def _begin(out: Path, sources: RunSources, replace_run: bool) -> None:
    """Takes the folder for a run of these sources. Raises ConfigError where it holds another."""
    try:
        refuse_other(out, sources)
    except ConfigError:
        if not replace_run:
            raise
        run_files.remove_run(out)
    write_sources(out, sources)


def check_folder(config: Config, out: Path) -> None:
    """Raises ConfigError where `out` holds a run of other sources, which have to be read for it."""
    if not holds_run(out):
        return
    try:
        experiment = prepare(config, KeptSources(Store(out / "store")).read)
    except GaikanError:  # told when the run begins
        return
    refuse_other(out, experiment.sources)


def check_config(config: Config) -> None:
    """Raises ConfigError for what can be told without images, and without asking a cluster."""
    axes(config)
    if config.timing.enabled:
        TimingOptions.of(config.timing.plan, config.timing.runtimes, config.timing.threads)
    if config.executor == "local":
        resolve_device(config.device)


def _cluster(config: Config, watcher: Watcher) -> "tuple[Cluster | None, Workers | None]":
    """The cluster that the configuration asks for, and its workers. Raises ConfigError."""
    if config.executor == "local":
        return None, None
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
    return cluster, workers


def _made_from(config: Config, experiment: Experiment, grid: Grid) -> str:
    """A hash of what determines the run's files, but for those of timing and picking."""
    return key_of(
        {
            "config": config.model_dump(mode="json"),
            "data": experiment.describe(),
            "networks": [asdict(at) for at in grid.stored],
            "failed": [asdict(each) for each in grid.failed],
            "code": package_version(),
            "packages": machine.packages(),
        }
    )


def _unchanged(out: Path, made_from: str) -> RunFolder | None:
    """The run that is in the folder, where it is this one and whole."""
    try:
        manifest = read_manifest(out)
    except ConfigError:  # the folder's first run
        return None
    if manifest.get("made_from") != made_from:
        return None
    if run_files.checksums(out, manifest["files"]) != manifest["files"]:
        return None
    return RunFolder.read(out)


def _references(
    config: Config, experiment: Experiment, first: Cell, store: Store, watcher: Watcher
) -> list[Reference]:
    """The classical references, where there are to be some; images as `first` has them."""
    if no_references(config, experiment) is not None:
        return []
    by_image = first.recipe.train.normalise == "image"
    train, test, parts = experiment.train, experiment.test, experiment.parts
    return run_references(train, test, parts, by_image, store, watcher.stage)


def _leaks(experiment: Experiment, store: Store) -> Leaks:
    """The audit; which images are copies of which is kept, as it takes seconds to find."""
    train, test = experiment.train, experiment.test
    key = key_of(
        {
            "copies": [train.fingerprint, test.fingerprint],
            "code": code_version("gaikan.evaluation.copies"),
        }
    )
    content = store.load(key)
    if content is None:
        copies = find_copies(train.images, test.images)
        store.save(key, pack(asdict(copies), {}))
    else:
        copies = Copies(**unpack(content)[0])
    return audit(train, test, experiment.parts, copies)


def _figures(
    config: Config,
    experiment: Experiment,
    networks: list[EvaluatedNetwork],
    references: list[Reference],
    answers: list[dict[str, NDArray[np.bool_]]],
    leaks: Leaks,
) -> Findings:
    ok = experiment.ok
    judges: list[EvaluatedNetwork | Reference] = [*networks, *references]
    table = predictions(judges, experiment)
    scores = accuracy(table, judges, ok)
    complete, incomplete = judged(table, experiment)
    best_first, comparisons = summary(scores, complete, incomplete)
    if config.protocol == "original":
        best_first = best_first.merge(optimism(answers, complete), on="variant", how="left")
    modes = complete.modes
    if modes is not None and (modes == complete.actual).all():
        modes = None  # the classes over again
    rates = None
    if ok is not None:
        rates = rate_table(complete, ok, config.factory)
        rates = by_rank(rates, best_first["variant"].tolist())
    return Findings(
        table=table,
        scores=scores,
        summary=best_first,
        about=run_files.about(best_first, experiment),
        comparisons=comparisons,
        judged=complete,
        rates=rates,
        classes=recalls(complete, complete.actual, ok),
        modes=None if modes is None else recalls(complete, modes, ok),
        leaks=leaks,
        factory=config.factory,
        ok=ok,
    )


def by_rank(table: pd.DataFrame, best_first: list[str]) -> pd.DataFrame:
    """The rows of a table by variant in the order of another."""
    rank = {variant: i for i, variant in enumerate(best_first)}
    return table.sort_values("variant", key=lambda names: names.map(rank), ignore_index=True)


def _write(
    out: Path,
    experiment: Experiment,
    networks: list[EvaluatedNetwork],
    found: Findings,
) -> None:
    run_files.write_predictions(out, found.table)
    run_files.write_tables(out, found)
    run_files.write_confusions(out, found.table, experiment.test.classes)
    run_files.write_figures(out, experiment, networks, found)
