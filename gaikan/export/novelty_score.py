"""The novelty p-value as a torch module, for the graph of a bundle."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gaikan.data.frames import Names
from gaikan.novelty.conformal import calibration, p_values
from gaikan.novelty.familiarity import Familiarity
from gaikan.training.stored_network import StoredEmbeddings

if TYPE_CHECKING:
    from onnx import ModelProto

CALIBRATED = "novelty.calibrated"  # how its name in a graph ends
_ROUNDING = 1e-5  # of a product in float32, relative to the lengths that go into it


@dataclass(frozen=True)
class Novelty:
    """What a network knows, and the sorted scores (M,) of held-out parts."""

    familiarity: Familiarity
    calibrated: NDArray[np.float32]

    @classmethod
    def of(cls, embedded: StoredEmbeddings, lots: Names | None) -> "Novelty":
        """That of a network, by the validation parts of a run; `lots` (N,) are those of them.

        A network that learned from them, too, has none: every part has the p-value 1.
        """
        return cls(embedded.familiarity, calibration(embedded.novelty["validation"], lots))

    def calibrated_on(self, embeddings: NDArray[np.float32], lots: Names | None) -> "Novelty":
        """The same by held-out embeddings (N, D) as the line computes them, rounded as there."""
        return Novelty(self.familiarity, calibration(self.familiarity.score(embeddings), lots))

    def p_values(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """P-values (N,) of embeddings (N, D) of new parts."""
        return p_values(self.familiarity.score(embeddings), self.calibrated)

    def p_range(self, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The least and the largest p-value (N,) that float32 may give embeddings (N, D)."""
        scores = self.familiarity.score(embeddings).astype(np.float64)
        squares = np.square(scores)
        stretched = np.linalg.norm(self.familiarity.whitener.astype(np.float64), 2)
        lengths = np.linalg.norm(embeddings, axis=1) + np.linalg.norm(self.familiarity.mean)
        error = _ROUNDING * scores * (scores + stretched * lengths)
        ends = (np.sqrt(squares + error), np.sqrt(np.maximum(squares - error, 0)))
        low, high = (p_values(end.astype(np.float32), self.calibrated) for end in ends)
        return low, high


def recalibrate(model: "ModelProto", novelty: Novelty) -> None:
    """Puts other held-out scores, as many as before, into the graph of an inspector."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        if tensor.name.endswith(CALIBRATED):
            squares = _ranked(novelty)
            assert list(tensor.dims) == [len(squares)]
            tensor.CopyFrom(numpy_helper.from_array(squares, tensor.name))
            return
    raise AssertionError("the graph has no calibrated scores")


def _ranked(novelty: Novelty) -> NDArray[np.float32]:
    """Squared scores (1 + M,) of the held-out parts and, infinite, of the part itself."""
    scores = np.append(novelty.calibrated.astype(np.float64), np.inf)
    ranked: NDArray[np.float32] = np.square(scores).astype(np.float32)
    return ranked


class NoveltyScore(nn.Module):
    """Novelty p-values (N,) of embeddings (N, D); few operations, as a runtime counts them.

    The p-value is (1 + how many of the M calibrated scores are at least as high) / (1 + M); the
    scores are compared as squares. A sum of ones is exact in float32, one of 1 / (1 + M) is not.
    """

    middle: Tensor
    whitener: Tensor
    calibrated: Tensor

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        for name, values in (
            ("middle", novelty.familiarity.mean),
            ("whitener", novelty.familiarity.whitener),
            ("calibrated", _ranked(novelty)),
        ):
            self.register_buffer(name, torch.from_numpy(values.astype(np.float32)))

    def forward(self, embeddings: Tensor) -> Tensor:
        """P-values (N,), in (0, 1]."""
        whitened = (embeddings - self.middle) @ self.whitener
        squared = (whitened * whitened).sum(1, keepdim=True)
        return (self.calibrated >= squared).to(torch.float32).mean(1)
