"""Embeddings of three classes, and how a loss changes with them."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def batch(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    points = F.normalize(torch.randn(18, 8, generator=generator, dtype=dtype))
    return points, torch.arange(18) % 3


def gradient(loss: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    at = points.clone().requires_grad_()
    (result,) = torch.autograd.grad(loss(at), at)
    return result
