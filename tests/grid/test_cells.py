"""The cells of a grid and their order."""

import numpy as np

from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.grid.cells import cells


def test_one_seed_of_all_networks_comes_first_and_the_slow_ones_of_each() -> None:
    config = load_config(None, {"seeds": 2, "grid.style": ["vanilla", "triplet"]})
    parts = {seed: Parts(fit=np.arange(6), validation=np.arange(6, 9)) for seed in (0, 1)}
    images = np.zeros((9, 1, 4, 4), np.uint8)
    source = Frames("made", images, np.arange(9) % 2, ("a", "b"), ("0", "1"), np.arange(9))
    made = [(c.recipe.seed, c.network) for c in cells(config, "cpu", parts, source)]
    slow_first = [
        f"{arch}-{s}" for arch in ("cnn", "resnet", "mlp") for s in ("vanilla", "triplet")
    ]
    assert made == [(seed, network) for seed in (0, 1) for network in slow_first]
