"""Losses of pytorch-metric-learning as training styles.

To add one: a file with its options and a class that names its loss (see `supcon.py`), and a line
in `STYLES`.
"""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from gaikan.errors import ConfigError
from gaikan.styles import base


class PackagedStyle(base.Style):
    """A loss of pytorch-metric-learning; the style's options are arguments of the loss.

    A loss that learns vectors of its own for the classes (proxies) gets their number and size.
    """

    package = "pytorch-metric-learning"
    loss_name: ClassVar[str]
    has_proxies: ClassVar[bool] = False

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
        """The loss of the batch, by cosines of its embeddings (B, D) and labels (B,)."""
        loss: Tensor = self.loss(embeddings, labels)
        return loss
