"""Folders of images as people have them, and what is read of them."""

from pathlib import Path

import numpy as np
from small_bundle import card
from tiny import SIDE, write_class

from gaikan.bundle.images import read_batches
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source


def fill(folder: Path, *names: str, n: int = 3) -> Path:
    """`n` images into each folder of these names."""
    for place, name in enumerate(names):
        write_class(folder / name, place, n, seed=place)
    return folder


def read(folder: Path) -> Frames:
    return read_source(str(folder))


def counts(frames: Frames) -> dict[str, int]:
    return dict(zip(frames.classes, np.bincount(frames.labels).tolist(), strict=True))


def predicted(*paths: Path) -> list[str]:
    """The files that prediction reads."""
    batches = read_batches(paths, card(shape=(1, SIDE, SIDE)), 4)
    return [name for batch in batches for name in batch.names]
