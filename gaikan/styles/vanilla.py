"""Vanilla: softmax cross-entropy through a linear head on the embedding."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.styles import base


class VanillaOptions(base.StyleOptions):
    """The keys of `[style.vanilla]`."""

    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="share of the target spread evenly over all classes"
    )


class Vanilla(base.Style):
    """Cross-entropy of `head(embedding)`."""

    options_type = VanillaOptions

    def __init__(self, options: VanillaOptions, classes: base.Classes, embedding_size: int) -> None:
        super().__init__(options, classes, embedding_size)
        self.head = nn.Linear(embedding_size, len(classes))
        self.label_smoothing = options.label_smoothing

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy of the batch."""
        assert self.head is not None
        logits = self.head(embeddings)
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
