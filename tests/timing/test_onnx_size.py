"""The size that is counted in an ONNX graph: that which torch counts in the network."""

from pathlib import Path

import pytest
import torch
from small_networks import IMAGES, SHAPE, exporter, trained

from gaikan.networks import NETWORKS
from gaikan.timing.models import size_of
from gaikan.timing.onnx_size import onnx_size


@pytest.mark.parametrize("arch", NETWORKS)
def test_operations_are_those_of_the_same_network_in_torch(arch: str, tmp_path: Path) -> None:
    network = trained(arch, 3)
    exporter().write(network, IMAGES, tmp_path, {})
    parameters, operations = onnx_size(tmp_path / "model.onnx", SHAPE)
    expected, exact = size_of(network.module, SHAPE, torch.uint8)
    assert operations == pytest.approx(exact, rel=1e-2)  # that of decisions: torch leaves it out
    assert parameters == pytest.approx(expected, rel=2e-2)  # anchors, folded normalisation


def test_without_a_graph_nothing_is_known(tmp_path: Path) -> None:
    assert onnx_size(tmp_path / "model.onnx", SHAPE) == (None, None)
