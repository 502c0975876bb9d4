"""The base class of architectures: what every one takes and gives."""

from typing import ClassVar

from torch import nn

EMBEDDING_SIZE = 128  # unless an architecture has its own

ImageShape = tuple[int, int, int]  # channels, height, width


class Network(nn.Module):
    """Built as `Network(shape)`; maps normalised images (N, C, H, W) to (N, D), both float32.

    D is `embedding_size`. Training takes `epochs_factor` times the configured epochs, rounded, in
    batches of `batch_factor` times the configured size, at `learning_rate_factor` times the
    configured rate: a small network costs little and goes on learning after a large one has
    stopped, and one with batch normalisation bears larger steps. `last_layer` names the linear
    layer that gives the embedding; a network that is never trained here has none.
    """

    embedding_size: int = EMBEDDING_SIZE
    epochs_factor: ClassVar[float] = 1
    batch_factor: ClassVar[int] = 1
    learning_rate_factor: ClassVar[float] = 1
    last_layer: ClassVar[str]

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
