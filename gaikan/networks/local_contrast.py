"""Local contrast: by how many deviations a pixel differs from its neighbourhood."""

from torch import Tensor
from torch.nn import functional as F

_SHARE = 8  # a neighbourhood is an eighth of the image's shorter side
_LITTLE = 1e-2  # variance at which a neighbourhood counts as even; that of the whole image is 1


def local_contrast(images: Tensor) -> Tensor:
    """Images (N, C, H, W) of mean 0 and deviation 1, with light and shade taken out.

    After Jarrett, Kavukcuoglu, Ranzato, LeCun, "What is the best multi-stage architecture for
    object recognition?", ICCV 2009, section 3.1: the local mean is subtracted, channel by
    channel, then all channels are divided by their common local deviation. Their Gaussian window
    is a box here, on a grid of half its size and interpolated: a twentieth of the operations.
    """
    size = max(2, min(images.shape[2:]) // _SHARE // 2 * 2)
    centred = images - _local_mean(images, size)
    variance = _local_mean(centred.square().mean(1, keepdim=True), size)
    return centred / (variance + _LITTLE).sqrt()


def _local_mean(images: Tensor, size: int) -> Tensor:
    """Means over `size` x `size` pixels, an even number; at the edges, of those that there are."""
    half = size // 2
    means = F.avg_pool2d(images, size, half, half, count_include_pad=False)
    return F.interpolate(means, images.shape[2:], mode="bilinear", align_corners=True)
