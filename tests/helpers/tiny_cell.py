"""A cell of the grid that trains one epoch on eight images."""

import numpy as np

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.data.frames import Frames
from gaikan.styles import STYLES
from gaikan.training.cell import Cell
from gaikan.training.train import Recipe

CELLS = {"mlp-vanilla": ("mean_embedding",), "cnn-triplet": ("mean_image",)}


def frames() -> Frames:
    labels = np.arange(8) % 2
    images = np.random.default_rng(0).integers(0, 255, (8, 1, 16, 16), np.uint8)
    return Frames("parts", images, labels, ("ok", "open"), ("ok", "open"), np.arange(8))


def cell(name: str) -> Cell:
    """Of one epoch on `frames()`."""
    arch, style = name.split("-")
    options = STYLES[style].options_type().model_dump()
    train = TrainConfig(epochs=1, batch_size=8, precision="fp32", normalise="source")
    recipe = Recipe(arch, style, options, train, AugmentConfig(shift=0.1), 0)
    return Cell(recipe, np.arange(4), np.arange(4, 8), CELLS[name], "cpu")
