"""The whole inspection in one module: raw image in; class, distances and margin out.

What runs on the line, what is timed and what is exported are this one computation.
"""

import logging
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks import Embedder, ImageShape

INPUT = "images"
OUTPUTS = ("predicted", "distances", "margin")


class AnchorDistance(nn.Module):
    """Euclidean distances (N, K) of embeddings (N, D) to anchors (K, D)."""

    anchors: Tensor

    def __init__(self, anchors: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.from_numpy(anchors))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Differences are taken directly: |a|^2 + |b|^2 - 2ab loses half the digits."""
        return (embeddings[:, None] - self.anchors).square().sum(2).sqrt()


class HeadDistance(nn.Module):
    """1 - softmax probability, (N, K), of a linear head: weight (K, D), bias (K,)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("bias", torch.from_numpy(bias))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Small for a likely class."""
        return 1 - F.linear(embeddings, self.weight, self.bias).softmax(1)


@dataclass(frozen=True)
class Threshold:
    """A part is good when its ok margin exceeds `value`, instead of when `ok` is nearest.

    The ok margin is the distance to the nearest other class minus the distance to class `ok`.
    """

    ok: int
    value: float


class Inspector(nn.Module):
    """Raw images (N, C, H, W), uint8 or float32 -> the decisions on N parts.

    Gives `predicted` (N,) int64, `distances` (N, K) float32 to every class, and `margin` (N,),
    second nearest minus nearest. Of equally near classes the first is predicted.
    """

    def __init__(
        self, embedder: Embedder, distance: nn.Module, threshold: Threshold | None = None
    ) -> None:
        super().__init__()
        self.embedder = embedder
        self.distance = distance
        self.threshold = threshold
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`OUTPUTS`, in that order."""
        distances = self.distance(self.embedder(images))
        nearest = distances.topk(2, 1, largest=False).values
        predicted = distances.argmin(1)
        if self.threshold is not None:
            predicted = _with_threshold(distances, self.threshold)
        return predicted, distances, nearest[:, 1] - nearest[:, 0]


def _with_threshold(distances: Tensor, threshold: Threshold) -> Tensor:
    of_ok = torch.arange(distances.shape[1], device=distances.device) == threshold.ok
    to_defect, defect = distances.masked_fill(of_ok, torch.inf).min(1)
    is_ok = to_defect - distances[:, threshold.ok] > threshold.value
    return torch.where(is_ok, threshold.ok, defect)


def to_onnx(inspector: Inspector, shape: ImageShape, dtype: torch.dtype) -> bytes:
    """The inspector as an ONNX model: input `images`, outputs `OUTPUTS`, any batch size."""
    example = torch.zeros((2, *shape), dtype=dtype)
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own deprecations
            program = torch.onnx.export(
                inspector.cpu(),
                (example,),
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
                dynamo=True,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None
    content: bytes = program.model_proto.SerializeToString()
    return content
