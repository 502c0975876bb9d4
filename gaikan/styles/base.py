"""The base classes of training styles and of their options."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

Classes = tuple[str, ...]  # names, in the order of the labels


class StyleOptions(BaseModel):
    """The keys of a style's `[style.NAME]` table; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Style(nn.Module):
    """A loss over one batch of embeddings, with parameters of its own where it needs some.

    A style is built as `Style(options, classes, embedding_size)`. A style with a `head` (a linear
    layer from embedding to classes) gets a reference row of its own.
    """

    options_type: ClassVar[type[StyleOptions]]
    # Of the extra `styles`, where its loss is. Such a style is trained only where it is asked for.
    package: ClassVar[str | None] = None

    @classmethod
    def check_installed(cls) -> None:
        """Raises ConfigError where `package` is missing."""

    def __init__(self, options: StyleOptions, classes: Classes, embedding_size: int) -> None:
        super().__init__()
        self.head: nn.Linear | None = None
        self.reach: float | None = None  # embeddings that begin further apart learn badly

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss, a scalar, of embeddings (B, D) float32 with labels (B,) int64."""
        raise NotImplementedError
