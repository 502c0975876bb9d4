"""The embedded data source: rendered pictures of crimped terminals, in lots."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from gaikan.data.frames import Frames, Images, Labels
from gaikan.data.terminal_defects import MODES
from gaikan.data.terminal_scene import (
    F32,
    HEIGHT,
    OVERSAMPLE,
    WIDTH,
    Part,
    Surface,
    lay_out,
    photograph,
)
from gaikan.system import machine

CLASSES = tuple(MODES)
SIZE = (HEIGHT, WIDTH)
LOTS = {"train": range(1, 26), "test": range(31, 56)}  # test lots are of later days
LOT_SIZES = {"train": 120, "test": 40}
VISIBLE = 20.0  # grey levels

_LOOKS: dict[str, tuple[float, float, float]] = {
    # name: lowest and highest mean of a lot, standard deviation within a lot
    "shift_x": (-1, 1, 0.8),
    "shift_y": (-1.2, 1.2, 0.8),
    "angle": (-0.02, 0.02, 0.02),
    "size": (0.97, 1.03, 0.01),
    "light_u": (-0.25, 0.25, 0.05),
    "light_v": (-0.25, 0.25, 0.04),
    "power": (0.6, 0.7, 0.02),
    "ambient": (0.2, 0.3, 0.02),
    "metal": (0.4, 0.5, 0.015),
    "gloss": (0.2, 0.4, 0.03),
    "spread": (0.22, 0.4, 0.015),
    "wire": (0.15, 0.35, 0.01),
    "ground": (0.15, 0.35, 0.01),
    "ground_tilt": (-0.25, 0.25, 0.05),
    "tone": (0, 0.4, 0.03),
    "vignette": (0, 0.25, 0.02),
    "blur": (0.02, 0.12, 0.02),
    "wings": (10, 10.6, 0.08),
    "barrel": (8.7, 9.3, 0.1),
    "box": (9.8, 10.3, 0.08),
    "seam": (-0.3, 0.3, 0.15),
    "insertion": (-0.2, 0.2, 0.25),
    "opening": (0.25, 0.35, 0.03),
}
_GRAIN = (0.01, 0.05)
_NOISE = (1.5, 3.0)


def terminals(part: Literal["train", "test"], seed: int = 0) -> Frames:
    """3,000 training or 1,000 test images, (N, 1, 36, 39) uint8, of 25 lots each.

    Lots differ in pose, lighting and finish; no lot is in both parts. The same seed gives the
    same bytes.
    """
    return in_lots(LOTS[part], *render(LOTS[part], LOT_SIZES[part], seed))


def render(lots: range, size: int, seed: int = 0) -> tuple[Images, Labels]:
    """Images (N, 1, 36, 39) uint8 and classes (N,) of `size` parts of each lot, lot after lot."""
    with ThreadPoolExecutor(machine.cores()) as threads:  # a lot has random numbers of its own
        rendered = list(threads.map(partial(render_lot, size=size, seed=seed), lots))
    images = np.concatenate([lot.images for lot in rendered])
    return images, np.concatenate([lot.labels for lot in rendered])


def in_lots(lots: range, images: Images, labels: Labels) -> Frames:
    """The rendered images of equally large lots, lot after lot, as a source."""
    return Frames(
        source="terminals",
        images=images,
        labels=labels,
        classes=CLASSES,
        keys=CLASSES,
        rows=np.arange(len(labels)),
        modes=np.asarray(CLASSES, dtype=np.str_)[labels],
        groups=np.repeat([f"lot-{number:02d}" for number in lots], len(labels) // len(lots)),
    )


@dataclass(frozen=True)
class Lot:
    """A lot's images (n, 1, 36, 39), and what each would be without its defect."""

    images: Images
    twins: Images
    labels: Labels


def render_lot(number: int, size: int, seed: int) -> Lot:
    """`size` parts of the lot of that number; another size gives other parts."""
    rng = np.random.default_rng(SeedSequence(seed, spawn_key=(number,)))
    means = {k: rng.uniform(low, high) for k, (low, high, _) in _LOOKS.items()}
    grain = rng.uniform(*_GRAIN)
    noise = rng.uniform(*_NOISE)
    share = rng.uniform(0.6, 1.4, len(CLASSES))
    share[0] = rng.uniform(0.3, 0.34) / (1 - 0.325) * share[1:].sum()
    counts = _counts(share / share.sum(), size)
    images: list[NDArray[np.uint8]] = []
    twins: list[NDArray[np.uint8]] = []
    for mode, n in zip(CLASSES, counts, strict=True):
        sound = lay_out(_parts(means, grain, n, rng))
        twin = photograph(sound)
        clean = _defective(mode, sound, twin, rng)
        z = rng.standard_normal(clean.shape, dtype=np.float32) * np.float32(noise)
        images.append(_expose(clean, z))
        twins.append(_expose(twin, z))
    labels = np.repeat(np.arange(len(CLASSES)), counts)
    order = rng.permutation(size)
    return Lot(
        np.concatenate(images)[order][:, None], np.concatenate(twins)[order][:, None], labels[order]
    )


def _counts(shares: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """How many parts of each class make up a lot: the largest remainders are rounded up."""
    counts = np.floor(shares * size).astype(np.int64)
    short = size - counts.sum()
    counts[np.argsort(counts - shares * size, kind="stable")[:short]] += 1
    return counts


def _defective(mode: str, sound: Surface, twin: F32, rng: Generator) -> F32:
    """Images with the defect, drawn anew until it shows: a label must never be noise."""
    surface = MODES[mode](sound, rng)
    if surface is sound:
        return twin
    clean = photograph(surface)
    for _ in range(50):
        hidden = np.flatnonzero(contrast(clean, twin) < VISIBLE)
        if not len(hidden):
            break
        clean[hidden] = photograph(MODES[mode](sound.take(hidden), rng))
    return clean


def contrast(a: F32, b: F32) -> F32:
    """How visibly images (n, 36, 39) differ, (n,) in grey levels: the fifth largest difference.

    Fewer pixels than five are taken for noise.
    """
    d = np.abs(a - b).reshape(len(a), -1)
    return np.partition(d, -5, axis=1)[:, -5]


def _expose(clean: F32, z: F32) -> NDArray[np.uint8]:
    n = z * np.sqrt(clean / 255 + np.float32(0.2))
    grey: NDArray[np.uint8] = np.clip(np.rint(clean + n), 0, 255).astype(np.uint8)
    return grey


def _parts(means: dict[str, float], grain: float, n: int, rng: Generator) -> Part:
    values = {}
    for k, mean in means.items():
        z = np.clip(rng.standard_normal((n, 1, 1)), -2.2, 2.2)
        values[k] = (mean + _LOOKS[k][2] * z).astype(np.float32)
    zero = np.zeros((n, 1, 1), np.float32)
    g: F32 = rng.standard_normal((n, HEIGHT, WIDTH + 4), dtype=np.float32)
    g = (g[:, :, :-4] + g[:, :, 1:-3] + g[:, :, 2:-2] + g[:, :, 3:-1] + g[:, :, 4:]) / 2
    g = g.repeat(OVERSAMPLE, axis=1).repeat(OVERSAMPLE, axis=2)
    return Part(
        **values,
        bulge_up=zero,
        bulge_down=zero,
        bend_from=zero,
        bend=zero,
        lift=zero,
        grain=1 + np.float32(grain) * g,
    )
