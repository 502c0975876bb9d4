"""Siamese: pairs of one class are pulled together, pairs of two classes pushed apart."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from gaikan.styles import base
from gaikan.styles.distance import mean_of_positive, pairwise
from gaikan.styles.targets import target_matrix


class SiameseOptions(base.StyleOptions):
    """The keys of `[style.siamese]`."""

    margin: float = Field(1.0, gt=0, description="distance that two classes are pushed to")
    targets: dict[str, dict[str, float]] | None = Field(
        None,
        description="distance of each pair of classes, inline or the name of a CSV file",
        examples=[{"open": {"short": 0.5}}],
    )


class Siamese(base.Style):
    """Contrastive loss over all pairs of the batch.

    Hadsell, Chopra, LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR
    2006, eq. 4: d^2 for a pair of one class, max(0, margin - d)^2 for a pair of two. With
    `targets` a pair of two classes costs (d - target)^2: pulled in as well as pushed out, so
    that the embedding keeps the given distances (a worse failure mode further away). Each of
    the two kinds is a mean of its own, over the pairs that cost anything: a batch has many
    more pairs of two classes than of one.
    """

    options_type = SiameseOptions
    target: Tensor

    def __init__(self, options: SiameseOptions, classes: base.Classes, embedding_size: int) -> None:
        super().__init__(options, classes, embedding_size)
        self.reach = options.margin  # beyond it nothing is pushed apart, only pulled together
        self.pulls = options.targets is not None
        matrix = target_matrix(options.targets or {}, classes, options.margin)
        self.register_buffer("target", torch.from_numpy(matrix))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss over the B(B-1)/2 pairs, each of which stands twice in the B x B distances."""
        distances = pairwise(embeddings)
        same = labels[:, None] == labels
        gap = (self.target[labels][:, labels] - distances).masked_fill(same, 0)
        apart = gap if self.pulls else F.relu(gap)
        together = distances * same  # an image's distance to itself is 0 and does not count
        return mean_of_positive(together.square()) + mean_of_positive(apart.square())
