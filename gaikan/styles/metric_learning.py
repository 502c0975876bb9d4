"""Losses of pytorch-metric-learning as training styles.

To add one: a file with its options and a class that names its loss (see `supcon.py`), and a line
in `STYLES`.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from gaikan.errors import ConfigError
from gaikan.styles import base


class PackagedStyle(base.Style):
    """A loss of pytorch-metric-learning; the style's options are arguments of the loss.

    A loss that learns vectors of its own for the classes (proxies) gets their number and size.
    These losses are of cosines alone, while parts are told apart by Euclidean distance. So the
    square by which a length differs from 1 is added, on average over the batch. Without it mean
    embeddings are poor anchors. Measured on validation (terminals, cnn, one seed), `length_weight`
    0, 1 and 10: supcon 0.806, 0.951, 0.927; proxy_anchor 0.882, 0.912, 0.961; triplet 0.940.
    """

    package = "pytorch-metric-learning"
    loss_name: ClassVar[str]
    has_proxies: ClassVar[bool] = False
    length_weight: ClassVar[float] = 1.0

    def __init__(
        self, options: base.StyleOptions, classes: base.Classes, embedding_size: int
    ) -> None:
        super().__init__(options, classes, embedding_size)
        sizes = {"num_classes": len(classes), "embedding_size": embedding_size}
        arguments = options.model_dump() | (sizes if self.has_proxies else {})
        self.loss = self._loss_type()(**arguments)

    @classmethod
    def check_installed(cls) -> None:
        """Raises ConfigError where pytorch-metric-learning is missing."""
        cls._loss_type()

    @classmethod
    def _loss_type(cls) -> Callable[..., nn.Module]:
        try:
            from pytorch_metric_learning import losses  # takes longer to import than gaikan
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"style {cls.loss_name}: {error.name} is missing: pip install 'gaikan[styles]'"
            ) from None
        loss_type: Callable[..., nn.Module] = getattr(losses, cls.loss_name)
        return loss_type

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of the batch: embeddings (B, D), labels (B,)."""
        lengths = torch.linalg.vector_norm(embeddings, dim=1)
        of_lengths = self.length_weight * (lengths - 1).square().mean()
        loss: Tensor = self.loss(embeddings, labels) + of_lengths
        return loss
