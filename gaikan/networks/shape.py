"""What every architecture takes and gives."""

from typing import ClassVar

from torch import nn

EMBEDDING_SIZE = 128

ImageShape = tuple[int, int, int]  # channels, height, width


class Network(nn.Module):
    """Built as `Network(shape)`; maps normalised images (N, C, H, W) float32 to (N, 128) float32.

    `epochs_factor` times the epochs of the configuration, rounded, are trained, in batches of
    `batch_factor` times the size: a small network costs little and goes on learning after a large
    one has stopped.
    """

    epochs_factor: ClassVar[float] = 1
    batch_factor: ClassVar[int] = 1

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
