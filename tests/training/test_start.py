"""Where an untrained network's embeddings begin."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from gaikan.networks import NETWORKS, Embedder
from gaikan.training.start import bring_near

IMAGES = torch.rand(60, 1, 12, 12, generator=torch.Generator().manual_seed(0))
ROWS = torch.arange(60)


def embedder(arch: str) -> Embedder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Embedder(NETWORKS[arch]((1, 12, 12)), torch.zeros(1), torch.ones(1))


def mean_distance(network: Embedder) -> float:
    for layer in network.modules():
        layer.train("Dropout" not in type(layer).__name__)
    with torch.no_grad():
        return float(pdist(network(IMAGES).numpy()).mean())


@pytest.mark.parametrize("arch", NETWORKS)
def test_embeddings_beyond_the_reach_come_to_three_tenths_of_it(arch: str) -> None:
    network = embedder(arch)
    before = mean_distance(deepcopy(network))
    bring_near(network, IMAGES, ROWS, before / 100)
    # Dropout, where there is any, moves what is measured, but not by a fifth.
    assert mean_distance(network) == pytest.approx(0.3 * before / 100, rel=0.2)


@pytest.mark.parametrize("arch", NETWORKS)
def test_only_the_last_layer_changes_and_nothing_is_drawn(arch: str) -> None:
    network = embedder(arch)
    before, random = deepcopy(network).state_dict(), torch.random.get_rng_state()
    bring_near(network, IMAGES, ROWS, 1e-3)
    changed = {
        name for name, value in network.state_dict().items() if (value != before[name]).any()
    }
    last = f"network.{NETWORKS[arch].last_layer}"
    assert changed == {f"{last}.weight", f"{last}.bias"}
    assert torch.equal(torch.random.get_rng_state(), random)


def test_embeddings_within_the_reach_stay() -> None:
    network = embedder("mlp")
    before = deepcopy(network).state_dict()
    bring_near(network, IMAGES, ROWS, 1e3)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_source_in_the_order_of_its_classes_is_sampled_from_all_of_it() -> None:
    """The first 128 images are alike here, and would lie within any reach."""
    images = torch.cat([torch.zeros(200, 1, 12, 12), IMAGES.repeat(4, 1, 1, 1)])
    network = embedder("mlp")
    before = network.state_dict()["network.fc3.weight"].clone()
    bring_near(network, images, torch.arange(len(images)), 1e-3)
    assert not np.array_equal(network.state_dict()["network.fc3.weight"], before)
