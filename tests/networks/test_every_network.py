"""What holds for every architecture: sizes, cost, and that no image sees another."""

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gaikan.networks import NETWORKS, ImageShape, Network

SHAPES: list[ImageShape] = [
    (1, 4, 4),
    (1, 8, 8),
    (1, 24, 24),
    (1, 36, 39),
    (3, 20, 31),
    (3, 256, 256),
]
every_network = pytest.mark.parametrize("arch", NETWORKS)


def network(arch: str, shape: ImageShape) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS[arch](shape)


def operations(arch: str, shape: ImageShape) -> int:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(arch, shape).eval()(torch.zeros(1, *shape))
    return int(counter.get_total_flops())


@every_network
@pytest.mark.parametrize("shape", SHAPES)
def test_a_network_takes_any_size_and_channels(arch: str, shape: ImageShape) -> None:
    embeddings = network(arch, shape).train()(torch.rand(2, *shape))
    assert embeddings.shape == (2, NETWORKS[arch].embedding_size)
    embeddings.sum().backward()


@every_network
def test_cost_grows_no_faster_than_the_area(arch: str) -> None:
    base = operations(arch, (1, 36, 39)) / (36 * 39)
    for side in (48, 53, 54, 63, 64, 100, 128, 200, 256):
        assert operations(arch, (1, side, side)) / side**2 < 1.25 * base


@every_network
def test_in_prediction_an_image_is_embedded_alone(arch: str) -> None:
    embed: Callable[[torch.Tensor], torch.Tensor] = network(arch, (1, 36, 39)).eval()
    images = torch.rand(5, 1, 36, 39)
    with torch.inference_mode():
        for at in range(5):
            torch.testing.assert_close(embed(images)[at], embed(images[at : at + 1])[0])
