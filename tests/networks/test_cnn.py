"""The network of the original work."""

import pytest
import torch

from gaikan.networks.cnn import Cnn


def test_the_cnn_has_the_layers_of_the_original() -> None:
    shapes = {name: tuple(value.shape) for name, value in Cnn((1, 36, 39)).state_dict().items()}
    assert shapes["conv1.weight"] == (64, 1, 3, 3)
    assert shapes["conv3.weight"] == (64, 64, 3, 3)
    assert shapes["fc1.weight"] == (256, 64 * 9 * 9)
    assert shapes["fc2.weight"] == (128, 256)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 31), (1, 128, 128)])
def test_the_cnn_takes_other_sizes(shape: tuple[int, int, int]) -> None:
    assert Cnn(shape)(torch.zeros(2, *shape)).shape == (2, 128)
