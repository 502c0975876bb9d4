"""The `resnet`: two residual blocks and a mean over the map, nearly at the cost of the `mlp`."""

from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.networks.shape import EMBEDDING_SIZE, ImageShape, Network

_FIRST_MAP = 18  # height and width of the first block's map, that of 36 x 39 images


class Resnet(Network):
    """(N, C, H, W) float32 -> (N, 128) float32, through blocks of 32 and 64 channels.

    Convolutions have no bias: each is followed at once by batch normalisation, which an exporter
    folds into it. A larger image is pooled after the first layer by the whole factor that brings
    the map nearest to 18 x 18, so that only the first layer's cost grows, with the area.
    """

    def __init__(self, shape: ImageShape) -> None:
        super().__init__(shape)
        channels, height, width = shape
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 16, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(16)
        )
        self.pool = (_factor(height // 2), _factor(width // 2))
        self.block1 = ResidualBlock(16, 32)
        self.block2 = ResidualBlock(32, 64)
        self.fc = nn.Linear(64, EMBEDDING_SIZE)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images."""
        x = F.relu(self.stem(images), inplace=True)
        if self.pool != (1, 1):
            x = F.max_pool2d(x, self.pool)
        x = F.max_pool2d(self.block1(x), 2)
        return self._embedding(self.block2(x))

    def _embedding(self, features: Tensor) -> Tensor:
        """From a map (N, 64, height, width) to (N, 128)."""
        embeddings: Tensor = self.fc(features.mean((2, 3)))
        return embeddings


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 convolution, their sum rectified (He et al., 2016)."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.conv1 = _normed(channels, filters, 3)
        self.conv2 = _normed(filters, filters, 3)
        self.skip = _normed(channels, filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, filters, H, W)."""
        y = self.conv2(F.relu(self.conv1(x), inplace=True))
        return F.relu(y + self.skip(x), inplace=True)


def _normed(channels: int, filters: int, size: int) -> nn.Sequential:
    """A convolution that keeps height and width, and its batch normalisation."""
    conv = nn.Conv2d(channels, filters, size, padding=size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters))


def _factor(size: int) -> int:
    """How many pixels to pool into one, so that a map of `size` comes nearest to the target."""
    return max(1, round(size / _FIRST_MAP))
