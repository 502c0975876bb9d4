"""One cell of the grid: train a network, embed the parts, take the anchors.

`work` is a pure function of a small description and of the images, and returns bytes, so that
any `concurrent.futures.Executor` can run it; only the driver writes the store.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gaikan.anchors import ANCHORS, FitPart
from gaikan.data.frames import Frames, Images, Labels
from gaikan.data.room import gathered
from gaikan.errors import GaikanError, first_line
from gaikan.networks import Embedder
from gaikan.novelty.gaussian import familiarity
from gaikan.system.files import writing
from gaikan.training.embed import embed, exact_convolutions
from gaikan.training.linear_head import linear_head
from gaikan.training.nearest_anchor import anchor_distances
from gaikan.training.recall import mean_recall
from gaikan.training.stored_network import Embeddings, StoredEmbeddings, StoredNetwork, tensors_of
from gaikan.training.train import Evaluation, FitData, Recipe, fit
from gaikan.variants import FROZEN, Variant, network_name

CHOOSING = "mean_embedding"  # anchors by which epochs are compared, whatever those of the cell
_SAMPLE_PER_CLASS = 100  # fit images that stand for a class when epochs are compared

Beat = Callable[[int, float], None]  # gets each epoch, from 1, and its mean loss


@dataclass(frozen=True)
class Cell:
    """What to train, on which rows, and which anchors to take."""

    recipe: Recipe
    fit_rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64]  # none: no epoch is chosen, the last is kept
    anchors: tuple[str, ...]
    device: str
    protocol: str = "held-out"
    fold: int | None = None  # its validation part is a fold, on which nothing may be chosen
    good: int | None = None  # the class that novelty is told from; None: from all

    @property
    def network(self) -> str:
        """Architecture and style, which the variants of one cell share."""
        return network_name(self.recipe.arch, self.recipe.style)

    def variant(self, anchor: str) -> Variant:
        """Of an anchor method, or of `HEAD`, on its network."""
        return Variant(self.recipe.arch, self.recipe.style, anchor)

    @property
    def name(self) -> str:
        """For people: network, seed, its fold, and the protocol if it is not the default."""
        protocol = "" if self.protocol == "held-out" else f", {self.protocol} protocol"
        fold = "" if self.fold is None else f", fold {self.fold}"
        return f"{self.network} seed {self.recipe.seed}{fold}{protocol}"


@dataclass(frozen=True)
class GivenCell(Cell):
    """A cell whose network was trained elsewhere; its anchors are taken here."""

    trained_key: str = ""  # the store has the network by it


@dataclass(frozen=True)
class Arrays:
    """The images themselves, for a process that shares no disk with the driver's.

    `fingerprint` alone tells them apart.
    """

    train: Images = field(compare=False)
    labels: Labels = field(compare=False)
    classes: tuple[str, ...] = field(compare=False)
    test: Images = field(compare=False)
    fingerprint: str

    @classmethod
    def of(cls, train: Frames, test: Frames) -> "Arrays":
        """What the cells need of both sources."""
        fingerprint = train.fingerprint + test.fingerprint
        return cls(train.images, train.labels, train.classes, test.images, fingerprint)


@dataclass(frozen=True)
class DataOnDisk:
    """The images where every process of this machine can read them, by path."""

    folder: str
    fingerprint: str

    @classmethod
    def write(cls, folder: Path, train: Frames, test: Frames) -> "DataOnDisk":
        """Writes both sources' arrays under `folder`. Raises UnwritableError."""
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / "train.npy", train.images)
            np.save(folder / "labels.npy", train.labels)
            np.save(folder / "classes.npy", np.asarray(train.classes, np.str_))
            np.save(folder / "test.npy", test.images)
        return cls(str(folder), train.fingerprint + test.fingerprint)

    def read(self) -> Arrays:
        """Maps them, so that all processes of this machine share one copy in memory."""
        train, labels, classes, test = (
            # "c": torch wants arrays that may be written; nothing here does.
            np.load(Path(self.folder) / f"{name}.npy", mmap_mode="c", allow_pickle=False)
            for name in ("train", "labels", "classes", "test")
        )
        return Arrays(train, labels, tuple(classes.tolist()), test, self.fingerprint)


Data = Arrays | DataOnDisk


@lru_cache(maxsize=1)
def resident(data: Data, device: str) -> tuple[FitData, torch.Tensor]:
    """The train source and the test images, read once a process and copied to the device once."""
    found = data.read() if isinstance(data, DataOnDisk) else data
    train = FitData.of(found.train, found.labels, found.classes, device)
    return train, torch.from_numpy(found.test).to(device)


@dataclass(frozen=True)
class Finished:
    """What a cell gives: two store entries, or the reason why there are none."""

    trained: bytes | None = None
    embedded: bytes | None = None
    seconds: float = 0.0
    failure: str | None = None


def work(cell: Cell, data: Data, trained: bytes | None, beat: Beat) -> Finished:
    """Trains (unless `trained` holds the network already), embeds, takes the anchors.

    A training that diverges or that the device refuses gives a failure, not an exception: the
    rest of the grid goes on.
    """
    started = time.perf_counter()
    try:
        train, test = resident(data, cell.device)
        validation = None
        if trained is None:
            trained, validation = _train(cell, train, beat)
        embedded = _embed(cell, train, test, trained, validation)
    except (GaikanError, RuntimeError, MemoryError) as error:
        return Finished(failure=first_line(error), seconds=time.perf_counter() - started)
    return Finished(trained, embedded, time.perf_counter() - started)


def _train(cell: Cell, source: FitData, beat: Beat) -> tuple[bytes, Embeddings | None]:
    """The network as the store holds it, and its embeddings of the validation part."""
    started = time.perf_counter()
    data = source.at(cell.fit_rows)
    with exact_convolutions():
        chooses = len(cell.validation_rows) and cell.fold is None
        evaluate = _validation_score(cell, source) if chooses else None
        trained = fit(cell.recipe, data, evaluate, beat)
    channels, height, width = data.images.shape[1:]
    stored = StoredNetwork(
        embedder_tensors=tensors_of(trained.embedder),
        style_tensors=tensors_of(trained.style),
        recipe=recipe_description(cell.recipe),
        classes=data.classes,
        shape=(channels, height, width),
        losses=trained.losses,
        validation_scores={str(epoch): score for epoch, score in trained.scores.items()},
        best_epoch=trained.best_epoch,
        seconds=time.perf_counter() - started,
    )
    return stored.pack(), trained.validation


def recipe_description(recipe: Recipe) -> dict[str, object]:
    """The recipe as JSON-able values."""
    return asdict(recipe) | {
        "train": recipe.train.model_dump(),
        "augment": recipe.augment.model_dump(),
    }


def _validation_score(cell: Cell, source: FitData) -> Callable[[Embedder], Evaluation]:
    """Balanced accuracy of the validation part, by mean embeddings of a sample of the fit part."""
    labels, rows = source.labels.cpu().numpy(), cell.fit_rows
    sample = np.concatenate(
        [rows[labels[rows] == c][:_SAMPLE_PER_CLASS] for c in range(len(source.classes))]
    )
    actual = labels[cell.validation_rows]

    def evaluate(embedder: Embedder) -> Evaluation:
        anchors = ANCHORS[CHOOSING](_fit_part(embedder, source, sample))
        embeddings = embed(embedder, source.images, cell.validation_rows)
        predicted = anchor_distances(embeddings, anchors).argmin(1)
        return Evaluation(mean_recall(actual, predicted), embeddings)

    return evaluate


def _fit_part(embedder: Embedder, source: FitData, rows: NDArray[np.int64]) -> FitPart:
    return FitPart(
        images=gathered(source.images.cpu().numpy(), rows),
        labels=source.labels.cpu().numpy()[rows],
        embeddings=embed(embedder, source.images, rows),
        n_classes=len(source.classes),
        embed=lambda some: embed(embedder, torch.from_numpy(some)),
    )


def _embed(
    cell: Cell,
    source: FitData,
    test: torch.Tensor,
    trained: bytes,
    validation: Embeddings | None,
) -> bytes:
    network = StoredNetwork.unpack(trained)
    embedder = network.fast_embedder(cell.device)
    part = _fit_part(embedder, source, cell.fit_rows)
    anchors = {name: ANCHORS[name](part) for name in cell.anchors}
    if validation is None:
        validation = embed(embedder, source.images, cell.validation_rows)
    head = network.head
    if network.style == FROZEN:
        head = linear_head(part.embeddings, part.labels)
    tests = embed(embedder, test)
    _refuse_infinite(anchors | {"fit": part.embeddings, "validation": validation, "test": tests})
    usual = slice(None) if cell.good is None else part.labels == cell.good
    known = familiarity(part.embeddings[usual])
    novelty = {"validation": known.score(validation), "test": known.score(tests)}
    return StoredEmbeddings(anchors, validation, tests, head, known, novelty).pack()


def _refuse_infinite(embeddings: dict[str, Embeddings]) -> None:
    for name, values in embeddings.items():
        if not np.isfinite(values).all():
            raise GaikanError(f"the network gives embeddings ({name}) that are not finite")
