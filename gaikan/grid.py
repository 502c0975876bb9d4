"""The grid: which cells there are, and running those that the store does not hold yet."""

import ctypes
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from concurrent.futures.thread import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from gaikan import machine
from gaikan.anchors import ANCHORS
from gaikan.cell import Cell, DataOnDisk, Finished, recipe_description, work
from gaikan.config import Config, validated
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import ConfigError
from gaikan.networks import NETWORKS
from gaikan.store import Store, code_version, key_of
from gaikan.styles import STYLES
from gaikan.train import Recipe
from gaikan.weights import Imported

_EMBEDDING = ("gaikan.cell", "gaikan.embed", "gaikan.anchors.fit")
_TRAINING = (
    *_EMBEDDING,  # the epoch that is kept was chosen by them
    "gaikan.train",
    "gaikan.batches",
    "gaikan.augment",
    "gaikan.seeds",
    "gaikan.networks.embedder",
    "gaikan.styles.base",
)
_POLL_SECONDS = 0.2
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


class Watcher(Protocol):
    """Who is told how the grid gets on."""

    def begin(self, cells: list[Cell], stored: list[Cell]) -> None:
        """`cells` are to be run, `stored` need not be."""

    def epoch(self, cell: Cell, epoch: int, loss: float) -> None:
        """An epoch of a cell has ended."""

    def end(self, cell: Cell, finished: Finished) -> None:
        """A cell has ended, well or not."""

    def stage(self, text: str) -> None:
        """What is being done now that the cells have ended."""


@dataclass(frozen=True)
class Keys:
    """The store keys of a cell: of its network, and of its embeddings and anchors."""

    trained: str
    embedded: str


def chosen(kind: str, asked: tuple[str, ...] | None, registry: dict[str, object]) -> list[str]:
    """The names of one axis, in the registry's order. Raises ConfigError on an unknown one."""
    for name in asked or ():
        if name not in registry:
            raise ConfigError(f"key 'grid.{kind}': no {kind} {name!r}; there are {_list(registry)}")
    if asked is not None and not asked:
        raise ConfigError(f"key 'grid.{kind}': empty; leave it out for all of {_list(registry)}")
    return [name for name in registry if asked is None or name in asked]


def _list(registry: dict[str, object]) -> str:
    return ", ".join(registry)


def axes(config: Config) -> tuple[list[str], list[str], list[str]]:
    """Architectures, styles and anchor methods of the run, checked, as are the style tables."""
    for name, options in config.style.items():
        if name not in STYLES:
            raise ConfigError(
                f"key 'style.{name}': no style {name!r}; there are {_list({**STYLES})}"
            )
        validated(STYLES[name].options_type, options, "configuration", at=f"style.{name}")
    return (
        chosen("arch", config.grid.arch, {**NETWORKS}),
        chosen("style", config.grid.style, {**STYLES}),
        chosen("anchor", config.grid.anchor, {**ANCHORS}),
    )


def resolve_device(device: str) -> str:
    """`auto` becomes cuda where there is one. Raises ConfigError where cuda is asked in vain."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: no CUDA device here; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def resolve_precision(precision: str, device: str) -> str:
    """`auto` becomes bf16 where the device multiplies it in hardware, fp32 elsewhere."""
    if precision != "auto":
        return precision
    native = torch.cuda.is_bf16_supported(False) if device == "cuda" else machine.native_bf16()
    return "bf16" if native else "fp32"


def cells(
    config: Config, device: str, parts: dict[int, Parts], classes: tuple[str, ...]
) -> list[Cell]:
    """One cell a network and seed, the slow ones first so that the last to end is short.

    Raises ConfigError where a style's options do not fit the `classes`.
    """
    archs, styles, anchors = axes(config)
    for style in styles:
        STYLES[style](STYLES[style].options_type(**_options(config, style)), classes)
    precision = resolve_precision(config.train.precision, device)
    train = {
        arch: config.train.model_copy(
            update={
                "precision": precision,
                "epochs": config.train.epochs * NETWORKS[arch].epochs_factor,
            }
        )
        for arch in archs
    }
    return [
        Cell(
            Recipe(arch, style, _options(config, style), train[arch], config.augment, seed),
            parts[seed].fit,
            parts[seed].validation,
            tuple(anchors),
            device,
        )
        for arch in reversed(archs)
        for seed in config.all_seeds
        for style in styles
    ]


def _options(config: Config, style: str) -> dict[str, object]:
    return STYLES[style].options_type(**config.style.get(style, {})).model_dump()


def keys(cell: Cell, train: Frames, test: Frames) -> Keys:
    """What determines the network, and what its embeddings and anchors besides."""
    trained = cell.trained_key if isinstance(cell, Imported) else _trained_key(cell, train)
    embedded = key_of(
        {
            "network": trained,
            "test": test.fingerprint,
            "anchors": cell.anchors,
            "code": code_version(*_EMBEDDING, *(ANCHORS[a].__module__ for a in cell.anchors)),
        }
    )
    return Keys(trained, embedded)


def _trained_key(cell: Cell, train: Frames) -> str:
    recipe = cell.recipe
    return key_of(
        {
            "data": train.fingerprint,
            "split": [cell.fit_rows.tolist(), cell.validation_rows.tolist()],
            "recipe": recipe_description(recipe),
            "code": code_version(
                *_TRAINING,
                NETWORKS[recipe.arch].__module__,
                STYLES[recipe.style].__module__,
            ),
            "torch": torch.__version__,
            "device": cell.device,
        }
    )


def run_cells(
    todo: list[Cell], train: Frames, test: Frames, store: Store, watcher: Watcher
) -> list[Finished]:
    """Every cell's result, from the store or run now; what is run now is stored as it ends."""
    all_keys = [keys(cell, train, test) for cell in todo]
    known = [(store.load(k.trained), store.load(k.embedded)) for k in all_keys]
    finished = {
        i: Finished(trained, embedded)
        for i, (trained, embedded) in enumerate(known)
        if trained and embedded
    }
    remaining = [i for i in range(len(todo)) if i not in finished]
    watcher.begin([todo[i] for i in remaining], [todo[i] for i in finished])
    if remaining:
        with _shared(store.folder / "work", train, test) as data:
            jobs = {
                i: Job(todo[i], data, known[i][0], f"{data.folder}/{i}.heartbeat")
                for i in remaining
            }
            for i, result in _run(jobs, watcher):
                if result.trained and result.embedded:
                    store.save(all_keys[i].trained, result.trained)
                    store.save(all_keys[i].embedded, result.embedded)
                finished[i] = result
                watcher.end(todo[i], result)
    return [finished[i] for i in range(len(todo))]


@dataclass(frozen=True)
class Job:
    """The arguments of `work`."""

    cell: Cell
    data: DataOnDisk
    trained: bytes | None
    heartbeat: str

    def submit(self, executor: Executor) -> "Future[Finished]":
        """Hands the job to any executor."""
        return executor.submit(work, self.cell, self.data, self.trained, self.heartbeat)


@contextmanager
def _shared(folder: Path, train: Frames, test: Frames) -> Iterator[DataOnDisk]:
    """The images where the workers read them; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)  # a killed run's
    try:
        yield DataOnDisk.write(folder, train, test)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(jobs: dict[int, Job], watcher: Watcher) -> Iterator[tuple[int, Finished]]:
    """Results as they come. When a worker dies, the cells that are left get a process each.

    A pool does not say which of its cells killed it; alone, a cell can only fail itself.
    """
    waiting = dict(jobs)
    try:
        with _executor(waiting) as executor:
            for i, result in _collect(executor, waiting, watcher):
                del waiting[i]
                yield i, result
    except BrokenProcessPool:
        for i, job in waiting.items():
            try:
                with _executor({i: job}) as executor:
                    yield from _collect(executor, {i: job}, watcher)
            except BrokenProcessPool:
                yield i, Finished(failure="its process was killed (out of memory?)")


def _collect(
    executor: Executor, jobs: dict[int, Job], watcher: Watcher
) -> Iterator[tuple[int, Finished]]:
    futures = {job.submit(executor): i for i, job in jobs.items()}
    beats: dict[int, str] = {}
    while futures:
        done, _ = wait(futures, _POLL_SECONDS, FIRST_COMPLETED)
        for i in futures.values():
            beat = _read(jobs[i].heartbeat)
            if beat and beat != beats.get(i):
                beats[i] = beat
                epoch, loss = beat.split()
                watcher.epoch(jobs[i].cell, int(epoch), float(loss))
        for future in done:
            yield futures.pop(future), future.result()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


@contextmanager
def _executor(jobs: dict[int, Job]) -> Iterator[Executor]:
    """Processes of one thread each; on CUDA one thread of this process, which holds the images.

    One thread a cell makes a result independent of the number of cores.
    """
    if next(iter(jobs.values())).cell.device == "cuda":
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    with processes(len(jobs)) as pool:
        yield pool


@contextmanager
def processes(n_jobs: int) -> Iterator[Executor]:
    """As many workers as there are cores or jobs; they end with this process, however it ends."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(machine.cores(), n_jobs), context, _prepare_worker)
    try:
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    _keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver hears Ctrl-C and ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _keep_freed_memory() -> None:
    """Keeps freed activations for the next batch instead of giving them back to the system.

    They are tens of MB and come again every batch; faulting their pages in anew took 40 % of an
    embedding pass and 8 % of a training step. glibc only (mallopt(3)).
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**30)


def _end_with_parent() -> None:
    """A killed driver must not leave workers behind that train for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
