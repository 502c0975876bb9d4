"""The first layer of the cnn in training, against PyTorch's own operations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from gaikan.networks.cnn import Cnn
from gaikan.networks.first_layer import convolved_pooled_relu


def plain(
    images: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int], kept: Tensor
) -> Tensor:
    pooled = F.max_pool2d(F.conv2d(images, weight, bias, padding=1), pool)
    return F.relu(pooled) * kept[:, :, None, None]


def whole(size: tuple[int, ...], most: int, seed: int) -> Tensor:
    """Whole numbers, with which every sum is exact: many windows have several largest pixels."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-most, most + 1, size, generator=generator).double()


@given(
    n=st.integers(1, 4),
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 2**31),
    most=st.integers(0, 3),
    dtype=st.sampled_from([torch.bfloat16, torch.float32, torch.float64]),
)
@settings(deadline=None)
def test_values_and_gradients_are_exactly_those_of_the_operations_one_by_one(
    n: int,
    height: int,
    width: int,
    pool: tuple[int, int],
    seed: int,
    most: int,
    dtype: torch.dtype,
) -> None:
    images = whole((n, 1, height, width), most, seed).to(dtype)
    shapes = (5, 1, 3, 3), (5,)
    kept = whole((n, 5), 1, seed + 3) > -1
    outputs, gradients = [], []
    for layer in (convolved_pooled_relu, plain):
        weight, bias = (whole(shape, most, seed + 1).to(dtype).requires_grad_() for shape in shapes)
        outputs.append(layer(images, weight, bias, pool, kept))
        torch.autograd.backward(outputs[-1], whole(outputs[-1].shape, 1, seed + 2).to(dtype))
        gradients.append((weight.grad, bias.grad))
    assert torch.equal(*outputs)
    for ours, theirs in zip(*gradients, strict=True):
        assert ours is not None
        assert theirs is not None
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("shape", [(1, 36, 39), (3, 36, 39), (1, 64, 64), (1, 9, 8)])
def test_training_and_predicting_compute_the_same_embeddings(
    shape: tuple[int, int, int], bf16: bool
) -> None:
    torch.manual_seed(0)
    network = Cnn(shape)
    network.dropout.p = 0.0
    images = torch.randn(7, *shape)
    predicted = network.eval()(images)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        embeddings = network.train()(images)
    assert embeddings.dtype == (torch.bfloat16 if bf16 else torch.float32)
    error = (embeddings.float() - predicted).abs().max() / predicted.abs().max()
    assert error < (0.03 if bf16 else 1e-5)


@pytest.mark.parametrize("bf16", [False, True])
def test_dropout_leaves_out_whole_channels_and_multiplies_the_others(bf16: bool) -> None:
    torch.manual_seed(0)
    network, images, seen = Cnn((1, 36, 39)), torch.randn(30, 1, 36, 39), []
    network.conv2.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.eval()(images)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        network.train()(images)
    undropped, dropped = seen
    left = dropped.flatten(2).any(2)
    assert (~left).float().mean() == pytest.approx(0.25, abs=0.03)
    scaled = undropped * left[:, :, None, None] / 0.75
    assert torch.allclose(dropped.float(), scaled, rtol=0.02, atol=0.02 if bf16 else 1e-5)
