"""The small residual network: its budget, and what becomes of its batch normalisation."""

import torch
from small_networks import exporter, trained

from gaikan.networks import Embedder
from gaikan.networks.resnet import ResidualBlock, Resnet
from gaikan.timing.models import size_of
from gaikan.timing.torch_model import DecisionTensors


def test_it_keeps_its_budget_at_the_size_of_a_terminal() -> None:
    shape = (1, 36, 39)
    embedder = Embedder(Resnet(shape), torch.zeros(1), torch.ones(1))
    parameters, operations = size_of(DecisionTensors(embedder, {}), shape, torch.uint8)
    assert operations <= 20
    assert 4 * parameters <= 500_000


def test_a_block_is_its_convolutions_beside_a_shortcut() -> None:
    block = ResidualBlock(3, 5).eval()
    images = torch.randn(2, 3, 6, 7)
    conv1, conv2, skip = (layer[0] for layer in (block.conv1, block.conv2, block.skip))
    share = (1 + block.conv1[1].eps) ** -0.5  # of an untrained normalisation
    expected = (conv2(share * conv1(images).relu()) + skip(images)).relu() * share
    torch.testing.assert_close(block(images), expected)


def test_an_exported_graph_has_no_batch_normalisation() -> None:
    """That the graph computes the same is tested for every architecture."""
    operators = {node.op_type for node in exporter()._filled(trained("resnet", 1)).graph.node}
    assert "Conv" in operators
    assert "BatchNormalization" not in operators
