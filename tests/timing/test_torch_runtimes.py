"""Networks in 16 bits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import IMAGES, SHAPE, trained

from gaikan.networks import NETWORKS
from gaikan.timing.torch_model import (
    save_network,
)
from gaikan.timing.torch_runtimes import read_module


@pytest.mark.parametrize("arch", NETWORKS)
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_narrow_network_decides_in_float32(arch: str, precision: str, tmp_path: Path) -> None:
    """On any processor: without the arithmetic it is emulated, slow and right."""
    network = trained(arch, 4)
    save_network(network.module, arch, SHAPE, tmp_path)
    with torch.inference_mode():
        expected = [output.numpy() for output in network.module(torch.from_numpy(IMAGES))]
        module = read_module(tmp_path / "model.pt", "cpu", precision)
        found = [output.numpy() for output in module(torch.from_numpy(IMAGES))]
    for output, exact in zip(found, expected, strict=True):
        assert output.dtype == exact.dtype
        np.testing.assert_allclose(output, exact, rtol=0.02, atol=0.05)
    assert (found[1] != expected[1]).any()  # it is not fp32 after all
