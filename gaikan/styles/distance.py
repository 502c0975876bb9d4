"""Distances within a batch."""

import torch
from torch import Tensor


def pairwise(embeddings: Tensor) -> Tensor:
    """Euclidean distances (B, B) of embeddings (B, D).

    Differences are taken directly: the faster |a|^2 + |b|^2 - 2ab loses half the digits where
    it matters, between near embeddings. The gradient at distance 0 is 0.
    """
    return torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")


def mean_of_positive(values: Tensor) -> Tensor:
    """Mean of the entries above 0, and 0 (with a gradient) where there is none."""
    return values.sum() / (values > 0).sum().clamp_min(1)
