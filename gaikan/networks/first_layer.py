"""The first layer of the `cnn` in training on a CPU: convolution, pooling, ReLU, dropout in one.

PyTorch's own way takes half of a training step: the gradient of a convolution from one channel,
and pooling's, which fills an array with zeros and scatters into it. This takes 0.55 of that time
in bfloat16 and 0.4 in float32 (63 images of 36 x 39, one thread, AVX-512). From three channels
PyTorch's way is the faster one; with windows of 4 x 4 and 8 x 8 it is as fast.
"""

from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn import functional as F

_BITS = {torch.bfloat16: torch.int16, torch.float32: torch.int32, torch.float64: torch.int64}


def convolved_pooled_relu(
    images: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int], kept: Tensor
) -> Tensor:
    """`relu(max_pool2d(conv2d(images, weight, bias, padding=1), pool))`, channels last.

    `images` (N, 1, H, W) get no gradient; `weight` (O, 1, 3, 3) and `bias` (O,), bfloat16 or
    float32, give the type. Channels of an image that are not `kept` (N, O) bool become 0. Of
    equal numbers in a window the first gets the gradient. A NaN may become 0; the loss still
    shows it, since the layers above have it as well.
    """
    n, _, height, width = images.shape
    size = height // pool[0], width // pool[1]
    # The bias is the weight of a column of ones, so that its gradient comes with the others.
    columns = torch.cat([weight.flatten(1), bias[:, None]], 1).t()
    patches = _patches(images[:, 0].to(weight.dtype), pool, size)
    largest = cast(Tensor, _Largest.apply(patches, columns, kept))  # type: ignore[no-untyped-call]
    return largest.view(n, *size, -1).permute(0, 3, 1, 2)


def _patches(images: Tensor, pool: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """The 3 x 3 patches (P, N * height * width, 10) of images (N, H, W).

    P counts the pixels of a pooling window, row by row; `size` is how many windows an image has,
    (height, width). The last column is 1.
    """
    padded = F.pad(images, (1, 1, 1, 1))
    patches = padded.new_ones(*pool, len(images), *size, 10)
    ends = pool[0] * size[0], pool[1] * size[1]
    for top, left, k in np.ndindex(*pool, 9):
        row, column = top + k // 3, left + k % 3
        patches[top, left, ..., k] = padded[
            :, row : row + ends[0] : pool[0], column : column + ends[1] : pool[1]
        ]
    return patches.flatten(2, 4).flatten(0, 1)


class _Largest(torch.autograd.Function):
    """The largest of patches (P, M, K) @ columns (K, O) over P, and at least 0: (M, O).

    The M windows are those of N images, equally many each. Where `kept` (N, O) is False, all
    windows of an image become 0 in that column.

    Comparing and choosing is done on whole numbers, four times as fast as bfloat16: the bits of
    two floating-point numbers have the numbers' order unless both are negative, where 0 is
    larger than either. Multiplying the bits of a gradient by 0 or 1 is exact, and so is taking
    from them themselves or 0.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, patches: Tensor, columns: Tensor, kept: Tensor) -> Tensor:
        """(P, M, K), (K, O) and (N, O) to (M, O)."""
        product = patches.flatten(0, 1) @ columns
        bits = product.view(_BITS[patches.dtype]).view(len(patches), -1, columns.shape[1])
        largest = bits[0]
        for candidate in bits[1:]:
            before, largest = largest, torch.maximum(largest, candidate)
            candidate.gt_(before)  # in place: from here on only who won matters, as 0 or 1
        largest = largest.clamp_min(0)
        largest.view(len(kept), -1, columns.shape[1]).mul_(kept[:, None].to(largest.dtype))
        ctx.save_for_backward(patches, largest, bits)
        return largest.view(patches.dtype)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> tuple[None, Tensor, None]:
        """Gradient (M, O) to (K, O): in each window only the first largest pixel gets it."""
        patches, largest, won = cast(tuple[Tensor, Tensor, Tensor], ctx.saved_tensors)
        shares = torch.empty_like(won)  # of the gradient, by pixel of the window
        torch.clamp_max(largest, 1, out=shares[0]).mul_(gradient.view(largest.dtype))
        for k in range(len(won) - 1, 0, -1):  # the last that won is the largest
            torch.mul(shares[0], won[k], out=shares[k])
            shares[0].sub_(shares[k])
        return None, patches.flatten(0, 1).t() @ shares.view(gradient.dtype).flatten(0, 1), None
