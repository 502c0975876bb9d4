"""A bundle, opened and checked."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.bundle import archive
from gaikan.bundle.card import Card
from gaikan.bundle.decision import verdicts_of
from gaikan.bundle.graph import (
    EMBEDDING,
    OUTPUTS,
    anchors_of,
    embedding_graph,
    refuse_external_data,
)
from gaikan.bundle.graph_session import Run, open_session
from gaikan.data.frames import Images
from gaikan.data.limits import at_once
from gaikan.errors import BundleError, first_line
from gaikan.variants import HEAD

Floats = NDArray[np.float32]
_EMBEDDED = 256  # images at a time
_ROUNDING = 1e-4  # of a p-value in float32
_LARGEST = 1e15  # value of an embedding: squares are summed in float32


@dataclass(frozen=True)
class Decisions:
    """Decisions on N parts."""

    predicted: NDArray[np.int64]  # (N,) class index
    distances: Floats  # (N, K) to each anchor
    margin: Floats  # (N,) second nearest minus nearest
    verdict: NDArray[np.int64]  # (N,) as `decision` numbers them
    novelty_p: Floats  # (N,) conformal: small where it is unlike what the network has learned from


@dataclass(frozen=True)
class Kept:
    """Validation parts as the bundle's own network sees them, to try new anchors on."""

    embeddings: Floats  # (N, D)
    labels: NDArray[np.uint16]  # (N,) index into the classes


@dataclass(frozen=True)
class Bundle:
    """A model that goes to the line."""

    card: Card
    model: bytes  # ONNX
    kept: Kept | None  # None of a softmax head, which has no anchors to replace

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """The bundle in a file, checked, two blank images run. Raises BundleError naming `path`."""
        members = archive.load(path)
        try:
            bundle = cls.of(members)
            bundle.check()
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from None
        return bundle

    @classmethod
    def of(cls, members: dict[str, bytes]) -> "Bundle":
        """The bundle of an archive's members. Raises BundleError where they do not fit."""
        card = Card.from_json(members[archive.CARD])
        model = members[archive.MODEL]
        refuse_external_data(model)
        if card.anchor == HEAD:
            return cls(card, model, None)
        anchors = anchors_of(model)
        n_anchors, size = anchors.shape
        if n_anchors != len(card.classes):
            raise BundleError(f"{n_anchors} anchors in the graph, {len(card.classes)} classes")
        try:
            embeddings = np.frombuffer(members[archive.EMBEDDINGS], "<f4").reshape(-1, size)
            labels = np.frombuffer(members[archive.LABELS], "<u2")
        except (KeyError, ValueError):
            raise BundleError("the kept validation embeddings are missing or damaged") from None
        for name, array in (("the graph's anchors", anchors), ("the kept embeddings", embeddings)):
            if not (np.abs(array) < _LARGEST).all():
                raise BundleError(f"{name} hold values that no network gives")
        if len(embeddings) != len(labels) or (labels >= len(card.classes)).any():
            raise BundleError("the kept validation labels do not fit the embeddings and classes")
        return cls(card, model, Kept(embeddings.astype(np.float32), labels.astype(np.uint16)))

    def save(self, path: Path) -> None:
        """Writes the bundle to a file. Raises BundleError."""
        members = {archive.CARD: self.card.to_json(), archive.MODEL: self.model}
        if self.kept is not None:
            members[archive.EMBEDDINGS] = self.kept.embeddings.astype("<f4").tobytes()
            members[archive.LABELS] = self.kept.labels.astype("<u2").tobytes()
        archive.save(path, members)

    @cached_property
    def _run(self) -> Run:
        return open_session(self.model, self.card.runtime, OUTPUTS)

    def check(self) -> None:
        """Runs two blank images. Raises BundleError where the graph is not what the card says."""
        try:
            blank: Any = np.zeros((2, *self.card.shape), self.card.dtype)
            decisions = self(blank)
        except BundleError:
            raise
        except Exception as error:
            reason = first_line(error)
            raise BundleError(f"the graph does not run on its images ({reason})") from None
        n_classes = len(self.card.classes)
        shapes = decisions.predicted.shape, decisions.distances.shape, decisions.margin.shape
        if shapes != ((2,), (2, n_classes), (2,)):
            raise BundleError(f"the graph gives {shapes} for 2 images and {n_classes} classes")
        if (decisions.predicted >= n_classes).any() or (decisions.predicted < 0).any():
            raise BundleError("the graph gives a class that there is not")
        p, card = decisions.novelty_p, self.card
        if p.shape != (2,) or not ((p > 0) & (p <= 1 + _ROUNDING)).all():
            raise BundleError("the graph gives novelty p-values that are not in 0..1")
        expected = verdicts_of(decisions.predicted, p, card.ok_index, card.ask_level)
        if not np.array_equal(decisions.verdict, expected):
            raise BundleError("the graph's verdicts are not those that the card describes")

    def __call__(self, images: Images) -> Decisions:
        """Decisions on images (N, C, H, W) of the card's shape and dtype."""
        return Decisions(*self._run(images))

    def embedder(self) -> Callable[[Images], Floats]:
        """A function from images (N, C, H, W), any dtype, to embeddings (N, D) by this graph."""
        run = open_session(embedding_graph(self.model), self.card.runtime, (EMBEDDING,))

        def embed(images: Images) -> Floats:
            step = at_once(images.shape, _EMBEDDED)
            parts = range(0, len(images), step)
            return np.concatenate([run(images[i : i + step].astype(np.float32))[0] for i in parts])

        return embed
