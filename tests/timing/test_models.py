"""Models that are timed: the same decisions as the networks they were made of."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from small_networks import IMAGES, SHAPE, exporter, trained

from gaikan.networks import NETWORKS
from gaikan.timing.models import size_of


@pytest.mark.parametrize("arch", NETWORKS)
def test_a_graph_traced_once_and_filled_computes_what_each_network_does(
    arch: str, tmp_path: Path
) -> None:
    for seed in (1, 2):
        network = trained(arch, seed)
        whole, alone = exporter().write(
            network, IMAGES, tmp_path / f"{seed}", {"mean_image": tmp_path / f"{seed}-alone"}
        )
        assert whole.missing == {}
        with torch.inference_mode():
            expected = network.module(torch.from_numpy(IMAGES))
        for folder, count in ((whole, len(expected)), (alone["mean_image"], 3)):
            session = onnxruntime.InferenceSession(str(folder.folder / "model.onnx"))
            found = session.run(None, {"images": IMAGES})
            assert len(found) == count
            for output, exact in zip(found, expected, strict=False):
                np.testing.assert_allclose(output, exact.numpy(), rtol=1e-3, atol=1e-3)


def test_operations_are_two_for_each_multiply_add() -> None:
    network = trained("mlp", 2)
    parameters, operations = size_of(network.module, SHAPE, torch.uint8)
    weights = sum(
        p.numel()
        for n, p in network.module.named_parameters()
        if n.endswith("weight") and p.ndim == 2
    )
    assert operations == pytest.approx(2e-6 * weights)
    assert parameters == sum(p.numel() for p in network.module.parameters())
