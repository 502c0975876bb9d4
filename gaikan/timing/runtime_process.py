"""One process for one runtime and one number of threads: it works only when told to.

Imports no torch of its own; a runtime brings what it needs.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaikan.system import machine
from gaikan.system.other_work import Counters, is_disturbed
from gaikan.timing.decode import decoded
from gaikan.timing.footprint import Footprint, Run, TooLarge, batch_memory, host_peak, peak_rss_mb
from gaikan.timing.measure import Rule, Turn, take_turn, warm_up
from gaikan.timing.placement import settle
from gaikan.timing.roofline import bandwidth
from gaikan.timing.runtimes import Images, Loaded, Outputs, Runtime

Names = NDArray[np.object_]

_GEMM_SECONDS = 0.2
_GPU_ROWS = 2**14  # fewer keep a large GPU waiting


@dataclass(frozen=True)
class Case:
    """One model at one batch size."""

    model: str
    batch_size: int


@dataclass(frozen=True)
class SessionParts:
    """What is predicted: an .npy file of raw images (N, C, H, W), the names of the classes."""

    images: str
    classes: tuple[str, ...]
    files: list[str] | None = None  # the same as image files, where decoding is timed too


@dataclass(frozen=True)
class Started:
    """How a model came up: milliseconds from file to ready, and of the first query."""

    load_ms: float
    cold_start_ms: float


@dataclass(frozen=True)
class Probe:
    """What a process that only predicts needs: its start, and its peak memory by batch size."""

    started: Started
    peak_rss_mb: dict[int, float | None]


@dataclass
class Server:
    """What the process holds: its models, and the images that it predicts."""

    runtime: Runtime
    threads: int | None
    models: dict[str, Loaded] = field(default_factory=dict)
    images: Images | None = None
    files: list[str] | None = None
    names: Names | None = None
    queries: dict[Case, Callable[[], object]] = field(default_factory=dict)
    devices: dict[Case, Callable[[], float] | None] = field(default_factory=dict)
    typical: dict[Case, float] = field(default_factory=dict)
    footprints: dict[str, Footprint] = field(default_factory=dict)
    cores: set[int] = field(default_factory=machine.core_numbers)
    watched: Counters = field(default_factory=Counters.now)

    def use(self, parts: SessionParts) -> None:
        """Reads the images to predict; where there are image files, each query decodes them."""
        self.images = np.load(parts.images, allow_pickle=False)
        self.names, self.files = np.asarray(parts.classes, object), parts.files

    def load(self, model: str, folder: str) -> Started:
        """Loads a model and asks it for the first time, one image."""
        started = time.perf_counter()
        self.models[model] = self._load(folder)
        loaded = time.perf_counter()
        query = self._query(Case(model, 1))
        query()
        ended = time.perf_counter()
        if self.models[model].beside:
            settle(query, self.cores)
        return Started(1e3 * (loaded - started), 1e3 * (ended - loaded))

    def probe(
        self, model: str, folder: str, batches: tuple[int, ...], longest: float | None
    ) -> Probe:
        """Loads the process's only model; then two queries for each batch size, ascending.

        A batch that would take far over `longest` seconds is not timed either.
        """
        started = self.load(model, folder)
        peaks: dict[int, float | None] = {}
        pace = 0.0  # seconds an image
        for size in sorted(batches):
            before = time.perf_counter()
            too_long = longest is not None and size * pace > 2 * longest
            if too_long or self._reach(Case(model, size)) is not None:
                break
            pace = (time.perf_counter() - before) / (2 * size)
            held = peak_rss_mb()  # of this batch alone, where the peak could be reset
            peaks[size] = max((p for p in (held, *peaks.values()) if p is not None), default=None)
        return Probe(started, peaks)

    def gemm(self, folder: str, size: int) -> float:
        """The best rate of products with a (`size`, `size`) matrix, operations a second.

        By the device's own clock where it has one: the copies there and back are no arithmetic.
        """
        product = self._load(folder)
        rows = size if self.threads else _GPU_ROWS
        matrix = np.ones((rows, size), np.float32)
        on_device = product.on_device(matrix)
        best, ends = math.inf, time.perf_counter() + _GEMM_SECONDS
        while time.perf_counter() < ends:
            before = time.perf_counter()
            if on_device is not None:
                best = min(best, on_device())
            else:
                product(matrix)
                best = min(best, time.perf_counter() - before)
        return 2 * rows * size**2 / best

    def bandwidth(self) -> dict[int, float]:
        """Bytes a second by size of the block that is read or copied, bytes."""
        if self.threads is not None:
            machine.stay_on(self.cores)
            return bandwidth(self.threads)
        from gaikan.timing.torch_runtimes import cuda_bandwidth

        return cuda_bandwidth()

    def drop(self, model: str) -> None:
        """Forgets a model."""
        del self.models[model]
        self.footprints.pop(model, None)
        self.queries = {case: query for case, query in self.queries.items() if case.model != model}

    def warm(self, case: Case, limit: float) -> float | TooLarge:
        """Queries until stable, at most `limit` seconds; how long one takes then, seconds."""

        def warm() -> None:
            batch = self._batch(case.batch_size)
            self.devices[case] = self.models[case.model].on_device(batch)
            self.typical[case] = warm_up(self._query(case), limit)

        return self._reach(case, warm) or self.typical[case]

    def turn(self, case: Case, rule: Rule) -> Turn:
        """One round of a case, watching what else has the processor meanwhile."""
        query, device = self._query(case), self.devices[case]
        before = Counters.now()
        turn = take_turn(query, rule, self.typical[case], device)
        return replace(turn, disturbed=is_disturbed(before, Counters.now(), self.threads or 1))

    def watch(self) -> None:
        """From now on, `disturbed` tells of other work."""
        self.watched = Counters.now()

    def disturbed(self) -> bool | None:
        """Whether other work held this process up since `watch`; None: not known."""
        return is_disturbed(self.watched, Counters.now(), self.threads or 1)

    def outputs(self, model: str, batch_size: int) -> list[NDArray[np.generic]]:
        """All outputs for all images, each (N, ...), in batches that memory has room for."""
        assert self.images is not None
        batch_size = min(batch_size, len(self.images))
        while batch_size > 1 and self._reach(Case(model, batch_size)) is not None:
            batch_size //= 2
        parts = [
            [output.copy() for output in self.models[model](self.images[i : i + batch_size])]
            for i in range(0, len(self.images), batch_size)
        ]
        return [np.concatenate(output) for output in zip(*parts, strict=True)]

    def _load(self, folder: str) -> Loaded:
        machine.stay_on(self.cores)  # the threads that the model starts inherit them
        self.runtime.start_alone(self.threads)
        return self.runtime.load(Path(folder), self.threads)

    def _batch(self, size: int) -> Images:
        """`size` of the images, from the first on, again and again."""
        assert self.images is not None
        return np.resize(self.images, (size, *self.images.shape[1:]))

    def _reach(self, case: Case, run: Run | None = None) -> TooLarge | None:
        """Queries a case for the first time: by `run`, else twice. Says where it is too large."""
        model, size = case.model, case.batch_size
        allowed, peak = self._memory()
        if model not in self.footprints:
            self.footprints[model] = Footprint(lambda size: self._query(Case(model, size))(), peak)
        footprint = self.footprints[model]
        return footprint.reach(size, allowed, run or partial(footprint.twice, size))

    def _memory(self) -> tuple[int | None, Callable[[Run], int | None]]:
        """Where a batch lies: the bytes that it may take, and what measures a peak."""
        if self.threads is not None:
            return batch_memory(), host_peak
        from gaikan.timing.torch_runtimes import cuda_batch_memory, cuda_peak

        return cuda_batch_memory(), cuda_peak

    def _query(self, case: Case) -> Callable[[], object]:
        if case not in self.queries:
            assert self.names is not None
            predict, names = self.models[case.model], self.names
            if self.files is None:
                images = self._batch(case.batch_size)
                self.queries[case] = lambda: answers(predict(images), names)
            else:
                files = [self.files[i % len(self.files)] for i in range(case.batch_size)]
                self.queries[case] = lambda: answers(predict(decoded(files)), names)
        return self.queries[case]


def answers(outputs: Outputs, names: Names) -> tuple[Names, NDArray[np.generic]]:
    """Class names (N,) and the distances to those classes (N,): what the line is told.

    One image is sliced: after a network has had the caches, NumPy's indexing by arrays takes 50
    microseconds, a tenth of what the whole of a small network does.
    """
    predicted, distances = outputs[0], outputs[1]
    if len(predicted) == 1:
        index = int(predicted[0])
        return names[index : index + 1], distances[:, index]
    return names[predicted], distances[np.arange(len(predicted)), predicted]
