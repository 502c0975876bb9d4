"""How fast gaikan predicts: against the original's way, and against the bare runtimes."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from contest import Contest, Run
from numpy.typing import NDArray
from scipy.spatial.distance import euclidean
from test_training import OriginalCnn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gaikan.bundle.graph import INPUT
from gaikan.data.sources import read_source
from gaikan.export.inspector import AnchorDistance, exported
from gaikan.networks import NETWORKS, Embedder
from gaikan.system import machine
from gaikan.timing.models import Exporter, TrainedFiles
from gaikan.timing.onnx_runtimes import onnxruntime, openvino
from gaikan.timing.placement import settle
from gaikan.timing.runtime_process import answers
from gaikan.timing.runtimes import RUNTIMES, Images
from gaikan.timing.torch_model import DecisionTensors
from gaikan.training.embed import embed
from gaikan.training.nearest_anchor import anchor_distances, decide

Predict = Callable[[Images], object]
BATCH = 64
OFFLINE = 4096
FAST = ("onnxruntime-fp32", "onnxruntime-int8", "openvino-fp32", "openvino-int8")


@dataclass(frozen=True)
class Models:
    """An untrained `cnn` in every runtime, as gaikan times it, and what it predicts."""

    images: NDArray[np.uint8]
    names: Any
    anchors: NDArray[np.float32]
    embedder: Embedder
    folder: Path

    def predict(self, label: str, threads: int) -> Predict:
        loaded = RUNTIMES[label].load(self.folder, threads)
        return lambda images: answers(loaded(images), self.names)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    frames = read_source("terminals", "test")
    assert frames.images.dtype == np.uint8
    embedder = Embedder(NETWORKS["cnn"](frames.shape), torch.tensor([90.0]), torch.tensor([50.0]))
    embedder.eval()
    rng = np.random.default_rng(0)
    anchors = rng.normal(size=(len(frames.classes), 128)).astype(np.float32)
    module = DecisionTensors(embedder, {"mean_embedding": AnchorDistance(anchors)})
    trained = TrainedFiles("cnn", "x", 0, frames.shape, module)
    folder = tmp_path_factory.mktemp("models")
    exporter = Exporter(torch.uint8, len(frames.classes), ["mean_embedding"])
    written, _ = exporter.write(trained, frames.images[:256], folder, {})
    assert written.missing == {}
    embedding = exported(
        embedder,
        (torch.zeros((2, *frames.shape), dtype=torch.uint8),),
        [INPUT],
        ["embedding"],
        ({0: torch.export.Dim("batch", min=1)},),
    )
    (folder / "network.onnx").write_bytes(embedding.SerializeToString())
    names = np.asarray(frames.classes, object)
    return Models(frames.images.astype(np.uint8), names, anchors, embedder, folder)


def in_batches(images: NDArray[np.uint8], predict: Predict) -> Run:
    def run() -> int:
        for start in range(0, len(images), BATCH):
            predict(images[start : start + BATCH])
        return len(images)

    return run


class OriginalImages(Dataset[Tensor]):
    """One row of a float table at a time."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, row: int) -> Tensor:
        return torch.from_numpy(self.table[row].reshape(1, 36, 39))


def original_embeddings(
    images: NDArray[np.uint8], workers: int
) -> Callable[[], NDArray[np.float32]]:
    table = (images / 255).reshape(len(images), -1).astype(np.float32)
    loader = DataLoader(OriginalImages(table), batch_size=BATCH, num_workers=workers)
    network = OriginalCnn().eval()

    def run() -> NDArray[np.float32]:
        with torch.no_grad():
            return np.concatenate([network(images).numpy() for images in loader])

    return run


def original_nearest(embeddings: NDArray[np.float32], anchors: NDArray[np.float32]) -> list[int]:
    return [int(np.argmin([euclidean(part, anchor) for anchor in anchors])) for part in embeddings]


def fastest(models: Models, images: NDArray[np.uint8], threads: int) -> str:
    """The label of the runtime that predicts `images` in the least time."""

    def seconds(label: str) -> float:
        run = in_batches(images, models.predict(label, threads))
        run()
        return median(timed(run) for _ in range(7))

    return min(FAST, key=seconds)


def in_turns(
    contest: Contest,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    queries: int,
) -> dict[str, list[float]]:
    """The median query of each side in each round, seconds; each has so many in a row."""
    medians: dict[str, list[float]] = {"ours": [], "theirs": []}

    def block(side: str, run: Callable[[], object]) -> None:
        medians[side].append(typical(run, queries))

    contest.benchmark.pedantic(  # type: ignore[no-untyped-call]
        partial(block, "ours", ours), setup=partial(block, "theirs", theirs), rounds=rounds
    )
    return medians


def typical(run: Callable[[], object], queries: int) -> float:
    """The median of so many queries, seconds.

    A quarter as many go before, unrecorded: the threads of another runtime spin on for a while
    after their last query, and the caches are still theirs.
    """
    for _ in range(-(-queries // 4)):
        run()
    return median(timed(run) for _ in range(queries))


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


# The original asks for four loading processes on any machine, and forks them beside threads.
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes:UserWarning")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_offline_is_eight_times_as_fast(contest: Contest, models: Models, all_cores: int) -> None:
    """Images a second to class names, all cores: the best runtime and the original's way.

    So many images that starting the original's loading processes hardly counts.
    """
    images = np.resize(models.images, (OFFLINE, *models.images.shape[1:]))
    embeddings = original_embeddings(images, workers=4)

    def theirs() -> int:
        return len(original_nearest(embeddings(), models.anchors))

    best = fastest(models, images[:256], all_cores)
    contest.benchmark.extra_info.update(runtime=best, cores=all_cores)
    ours = in_batches(images, models.predict(best, all_cores))
    assert contest.ratio(ours, theirs, rounds=5) >= 8


def test_a_single_image_is_three_times_as_fast_as_eager(
    contest: Contest, models: Models, all_cores: int
) -> None:
    """The median query of the best runtime and of eager fp32, all cores."""
    image = models.images[:1]
    best = fastest(models, image, all_cores)
    contest.benchmark.extra_info.update(runtime=best, cores=all_cores)
    ours, eager = (models.predict(label, all_cores) for label in (best, "torch-fp32"))
    p50 = in_turns(contest, lambda: ours(image), lambda: eager(image), rounds=20, queries=50)
    ratio = median(p50["theirs"]) / median(p50["ours"])
    figures = {f"{side}_ms": round(1e3 * median(values), 3) for side, values in p50.items()}
    contest.say(**figures, ratio=round(ratio, 2))
    assert ratio >= 3


@pytest.mark.parametrize("load", [onnxruntime, openvino], ids=["onnxruntime", "openvino"])
@pytest.mark.parametrize("size", [1, BATCH])
def test_the_predict_path_costs_little_over_the_bare_runtime(
    contest: Contest, models: Models, all_cores: int, size: int, load: Any
) -> None:
    """Distances, nearest anchor and names, over the call of the same network that embeds only.

    Each round loads both anew and takes them in random order: where a session's weights happen
    to lie, and which of two comes second, moves a single image by more than is looked for.
    """
    images = models.images[:size]
    seconds: dict[str, list[float]] = {"whole": [], "bare": []}
    rng, cores = np.random.default_rng(0), machine.core_numbers()
    for _ in range(30):
        for side in rng.permutation(list(seconds)).tolist():
            file = "model.onnx" if side == "whole" else "network.onnx"
            machine.stay_on(cores)
            session = load(models.folder / file, all_cores, "fp32")
            query = partial(_whole if side == "whole" else _bare, session, images, models.names)
            if session.beside:
                settle(query, cores)  # as `gaikan time` does
            seconds[side].append(typical(query, queries=60 if size == 1 else 3))
    contest.benchmark.pedantic(query, rounds=20)  # type: ignore[no-untyped-call]
    machine.stay_on(cores)
    pairs = list(zip(seconds["whole"], seconds["bare"], strict=True))
    over = median(a - b for a, b in pairs)
    share = median(a / b for a, b in pairs) - 1
    contest.say(microseconds_over=round(1e6 * over, 1), percent_over=round(100 * share, 1))
    if size == 1:
        assert over <= 50e-6
    else:
        assert share <= 0.10


def _whole(session: Any, images: NDArray[np.uint8], names: Any) -> object:
    return answers(session(images), names)


def _bare(session: Any, images: NDArray[np.uint8], names: Any) -> object:
    return session(images)


def test_embedding_beats_the_original_loop(
    contest: Contest, models: Models, all_cores: int
) -> None:
    """In PyTorch on both sides, all cores; the original without its loading processes."""
    theirs = original_embeddings(models.images, workers=0)
    images = torch.from_numpy(models.images)
    ours = deepcopy(models.embedder)
    ours.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as it was trained
    ratio = contest.ratio(lambda: len(embed(ours, images)), lambda: len(theirs()), rounds=7)
    assert ratio >= 1


def test_the_nearest_anchor_beats_the_loop_over_samples(contest: Contest, models: Models) -> None:
    """On ten times as many embeddings, else it would be over before the processor has noticed."""
    embeddings = np.random.default_rng(1).normal(size=(2000, 128)).astype(np.float32)
    many = np.tile(embeddings, (10, 1))

    def ours() -> int:
        return len(decide(anchor_distances(many, models.anchors)).predicted)

    expected = original_nearest(embeddings, models.anchors)
    found = decide(anchor_distances(embeddings, models.anchors)).predicted
    np.testing.assert_array_equal(found, expected)
    ratio = contest.ratio(ours, lambda: len(original_nearest(embeddings, models.anchors)), rounds=9)
    assert ratio >= 20
