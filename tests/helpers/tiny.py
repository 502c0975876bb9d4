"""Tiny image folders, and a tiny grid."""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 12

# Without pictures, which take longer than it trains.
FOUR_CELLS = """
seeds = 2
pictures = false
references = "none"
[data]
train = "{folder}/parts"
[grid]
arch = ["mlp"]
style = ["siamese", "triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = {epochs}
batch_size = 16
"""


def write_class(folder: Path, place: int, count: int, seed: int, contrast: int = 120) -> None:
    """`count` noisy grey images into `folder`; a brighter bar at row `place` makes the class."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, place])
    pixels = rng.integers(0, 120, (count, SIDE, SIDE), np.uint8)
    pixels[:, place : place + 2] += np.uint8(contrast)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number:03}.png")
