"""How the `resnet` deals with large images."""

from pathlib import Path

import onnx
import pytest
import torch
from small_networks import IMAGES, exporter, trained
from torch.nn import functional as F

from gaikan.networks import Embedder
from gaikan.networks.resnet import Quarters, ResidualBlock, Resnet
from gaikan.timing.models import size_of
from gaikan.timing.torch_model import DecisionTensors


def test_it_keeps_its_budget_at_the_size_of_a_terminal() -> None:
    shape = (1, 36, 39)
    embedder = Embedder(Resnet(shape), torch.zeros(1), torch.ones(1))
    parameters, operations = size_of(DecisionTensors(embedder, {}), shape, torch.uint8)
    assert operations <= 10  # millions
    assert 4 * parameters <= 500_000


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 2), (9, 9), (8, 5)])
def test_quarters_are_those_of_adaptive_pooling(size: tuple[int, int]) -> None:
    features = torch.randn(2, 3, *size)
    quarters = Quarters(*size)
    expected = F.adaptive_avg_pool2d(features, (min(2, size[0]), min(2, size[1]))).flatten(1)
    assert expected.shape[1] == 3 * quarters.count
    torch.testing.assert_close(quarters(features), expected)


def test_a_block_without_its_second_convolution_passes_on_the_first() -> None:
    block = ResidualBlock(3, 5).eval()
    images = torch.randn(2, 3, 6, 7)
    whole = block(images)
    block.get_parameter("conv2.0.weight").data.zero_()
    torch.testing.assert_close(block(images), block.conv1(images).relu())
    assert not torch.allclose(whole, block(images))


def test_an_exported_graph_has_no_batch_normalisation(tmp_path: Path) -> None:
    """That the graph computes the same is tested for every architecture."""
    exporter().write(trained("resnet", 1), IMAGES, tmp_path, {})
    operators = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert "Conv" in operators
    assert "BatchNormalization" not in operators


@pytest.mark.parametrize(
    ("size", "pool"),
    [((36, 39), (1, 1)), ((64, 64), (1, 1)), ((128, 64), (2, 1)), ((256, 256), (4, 4))],
)
def test_a_large_image_keeps_a_fine_map(size: tuple[int, int], pool: tuple[int, int]) -> None:
    assert Resnet((1, *size)).pool == pool
