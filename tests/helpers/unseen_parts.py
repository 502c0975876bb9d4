"""Parts of two defects and a good class, of which a defect can be left out."""

import numpy as np

from gaikan.data.frames import Frames
from gaikan.data.run_sources import RunSources, Source
from gaikan.data.split import split
from gaikan.evaluation.experiment import Experiment

CLASSES = ("burr", "ok", "crack")
SOURCE = Source(name="parts", images=1, shape="", fingerprint="")


def frames(n: int, names: tuple[str, ...], modes: bool, lots: bool) -> Frames:
    """`n` of each class; every image shows its row, burrs are long or short, by turns."""
    labels = np.arange(n * len(names)) % len(names)
    images = np.zeros((len(labels), 1, 4, 4), np.float32)
    images[:] = np.arange(len(labels))[:, None, None, None]
    kinds = np.asarray(names)[labels].astype("<U8")
    burrs = np.flatnonzero(kinds == "burr")
    kinds[burrs[::2]], kinds[burrs[1::2]] = "long", "short"
    groups = (np.arange(len(labels)) // len(names) % 5).astype(str) if lots else None
    rows = np.arange(len(labels))
    return Frames("parts", images, labels, names, names, rows, kinds if modes else None, groups)


def experiment(
    names: tuple[str, ...] = CLASSES,
    modes: bool = False,
    lots: bool = False,
    ok: str | None = "ok",
) -> Experiment:
    train, test = frames(60, names, modes, lots), frames(20, names, modes, lots)
    parts = {seed: split(train, seed) for seed in range(2)}
    return Experiment(train, test, parts, ok, RunSources(train=SOURCE, test=None))
