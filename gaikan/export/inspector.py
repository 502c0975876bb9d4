"""The whole inspection as one torch module: raw images in; verdict and all that it rests on out.

What runs on the line, what is timed and what is exported are this one computation.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.bundle.decision import ASK, DEFECTIVE, OK
from gaikan.bundle.graph import ANCHORS, EMBEDDING, INPUT, OUTPUTS
from gaikan.export.backbone_graph import with_backbone
from gaikan.export.novelty_score import NoveltyScore
from gaikan.networks import ImageShape, OnnxBackbone
from gaikan.training.stored_network import StoredEmbeddings
from gaikan.variants import HEAD

if TYPE_CHECKING:
    from onnx import ModelProto


class AnchorDistance(nn.Module):
    """Euclidean distances (N, K) of embeddings (N, D) to anchors (K, D)."""

    anchors: Tensor

    def __init__(self, anchors: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.from_numpy(anchors))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Differences are taken directly: |a|^2 + |b|^2 - 2ab loses half the digits."""
        distances: Tensor = torch.linalg.vector_norm(embeddings[:, None] - self.anchors, dim=2)
        return distances


class HeadDistance(nn.Module):
    """1 - softmax probability, (N, K), of a linear head: weight (K, D), bias (K,)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("bias", torch.from_numpy(bias))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Distances (N, K) of embeddings (N, D), small for a likely class."""
        return 1 - F.linear(embeddings, self.weight, self.bias).softmax(1)


def distance_of(stored: StoredEmbeddings, decision: str) -> nn.Module:
    """The module that gives a decision's distances: to its anchors, or those of its head."""
    if decision != HEAD:
        return AnchorDistance(stored.anchors[decision])
    assert stored.head is not None
    return HeadDistance(stored.head.weight, stored.head.bias)


@dataclass(frozen=True)
class Threshold:
    """A part is good when its ok margin exceeds `value`, instead of when `ok` is nearest.

    The ok margin is the distance to the nearest other class minus the distance to class `ok`.
    """

    ok: int
    value: float


class Decide(nn.Module):
    """Embeddings (N, D) -> the classes of N parts.

    Gives `predicted` (N,) int64, `distances` (N, K) float32 to every class, and `margin` (N,),
    second nearest minus nearest. Of equally near classes the first is predicted. It has few
    operations: a runtime takes microseconds for each, however small.
    """

    second_less_first: Tensor

    def __init__(self, distance: nn.Module, threshold: Threshold | None = None) -> None:
        super().__init__()
        self.distance = distance
        self.threshold = threshold
        self.register_buffer("second_less_first", torch.tensor([-1.0, 1.0]))
        self.eval()

    def forward(self, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`predicted`, `distances` and `margin` of embeddings (N, D)."""
        distances: Tensor = self.distance(embeddings)
        nearest = distances.topk(2, 1, largest=False).values
        predicted = distances.argmin(1)
        if self.threshold is not None:
            predicted = _with_threshold(distances, self.threshold)
        return predicted, distances, nearest @ self.second_less_first


class Inspector(nn.Module):
    """Raw images (N, C, H, W), uint8 or float32 -> the verdicts on N parts.

    Gives what `Decide` gives, `verdict` (N,) int64, numbered as `bundle.decision` says, and
    `novelty_p` (N,) float32. Where `ok` is the class that means good and there is an `ask_level`,
    a person is asked about parts of that class whose p-value is at or below the level.
    """

    def __init__(
        self,
        embedder: nn.Module,
        decide: Decide,
        novelty: NoveltyScore,
        ok: int | None = None,
        ask_level: float | None = None,
    ) -> None:
        super().__init__()
        self.embedder, self.decide, self.novelty = embedder, decide, novelty
        self.ok, self.ask_level = ok, ask_level
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The `OUTPUTS` of images (N, C, H, W)."""
        embeddings = self.embedder(images)
        return self.judge(embeddings, self.decide(embeddings))

    def judge(
        self, embeddings: Tensor, decided: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, ...]:
        """The `OUTPUTS` of embeddings (N, D) that `Decide` gave these `decided`."""
        novelty_p = self.novelty(embeddings)
        return *decided, self._verdict(decided[0], novelty_p), novelty_p

    def _verdict(self, predicted: Tensor, novelty_p: Tensor) -> Tensor:
        if self.ok is None:
            return torch.full_like(predicted, -1)
        good: int | Tensor = OK
        if self.ask_level is not None:
            good = torch.where(novelty_p <= self.ask_level, ASK, OK)
        return torch.where(predicted == self.ok, good, DEFECTIVE)


def _with_threshold(distances: Tensor, threshold: Threshold) -> Tensor:
    # Not arange: the exporter makes it a constant, and the number of classes may grow.
    of_ok = torch.ones_like(distances).cumsum(1) == threshold.ok + 1
    to_defect, defect = distances.masked_fill(of_ok, torch.inf).min(1)
    is_ok = to_defect - distances[:, threshold.ok] > threshold.value
    return torch.where(is_ok, threshold.ok, defect)


class _AnchorsAsInput(nn.Module):
    """An inspector that takes its anchors as a second input, and gives the embeddings too."""

    def __init__(self, inspector: Inspector) -> None:
        super().__init__()
        self.inspector = inspector

    def forward(self, images: Tensor, anchors: Tensor) -> tuple[Tensor, ...]:
        embedding = self.inspector.embedder(images)
        replaced = {f"distance.{ANCHORS}": anchors}
        decided = torch.func.functional_call(self.inspector.decide, replaced, (embedding,))
        return (*self.inspector.judge(embedding, decided), embedding)


class _WithEmbedding(nn.Module):
    """An inspector that gives the embeddings too."""

    def __init__(self, inspector: Inspector) -> None:
        super().__init__()
        self.inspector = inspector

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        embedding = self.inspector.embedder(images)
        return (*self.inspector.judge(embedding, self.inspector.decide(embedding)), embedding)


def to_onnx(inspector: Inspector, shape: ImageShape, dtype: torch.dtype) -> "ModelProto":
    """The inspector as an ONNX model: input `images`, outputs `OUTPUTS`, any batch size.

    Anchors are the initialiser `ANCHORS` (K, D), and nothing else in the graph depends on K: it
    may be replaced by one of another K (enrolling a class). The value `EMBEDDING` inside holds
    the embeddings. Traces, notes and inferred shapes are left out: they name K, and paths of this
    machine.
    """
    inspector = inspector.cpu()
    module: nn.Module = _WithEmbedding(inspector).eval()
    images: tuple[Tensor, ...] = (torch.zeros((2, *shape), dtype=dtype),)
    names, dynamic = [INPUT], [{0: torch.export.Dim("batch", min=1)}]
    outputs = [*OUTPUTS, EMBEDDING]
    distance = inspector.decide.distance
    if isinstance(distance, AnchorDistance):
        module = _AnchorsAsInput(inspector).eval()
        images = (*images, distance.anchors)
        names = [INPUT, ANCHORS]
        dynamic.append({0: torch.export.Dim("classes", min=2)})
    model = exported(module, images, names, outputs, tuple(dynamic))
    graph = model.graph
    if len(graph.input) == 2:
        from onnx import numpy_helper  # torch needs it to export, not to train

        graph.initializer.append(numpy_helper.from_array(images[1].numpy(), ANCHORS))
        del graph.input[1:]
    del graph.output[len(OUTPUTS) :]
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model


def exported(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    shapes: tuple[dict[int, torch.export.Dim], ...],
    optimize: bool = True,
) -> "ModelProto":
    """`module` as an ONNX model; without `optimize`, each parameter stays an initialiser."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own deprecations
            program = torch.onnx.export(
                module,
                example,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=shapes,
                dynamo=True,
                verbose=False,
                optimize=optimize,
            )
    finally:
        logger.setLevel(level)
    assert program is not None
    model = program.model_proto
    for part in module.modules():
        if isinstance(part, OnnxBackbone):
            model = with_backbone(model, part.content)
    return model
