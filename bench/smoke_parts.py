"""The parts of the smoke grid: small, easy enough to be learned in seconds, and hard enough to err.

`python bench/smoke_parts.py FOLDER` writes `train.parquet` and `test.parquet`, the same images on
every machine: they are drawn in whole numbers. A part is a bright plate on a dark ground, five
kinds of it; lots differ in light, and no lot is in both files. The rendered terminals would take
ten times as long before a `cnn` has learned anything.
"""

import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gaikan.system.files import write

SIDE = 12
MODES = ("ok", "scratch", "chip", "stain", "short")
LOTS = {"train": range(20), "test": range(20, 36)}
LOT_SIZE = 40
NOISE = 24  # grey levels, each way

Pixels = NDArray[np.int64]


def lot(number: int, size: int = LOT_SIZE) -> tuple[Pixels, NDArray[np.int64]]:
    """Images (size, 12, 12) in 0..255 and labels (size,) of one lot, a third of them good."""
    rng = np.random.default_rng([20251125, number])
    labels = np.array([0, *range(len(MODES))])[np.arange(size) % (len(MODES) + 1)]
    ground, plate = rng.integers(20, 70), rng.integers(110, 170)
    images = np.full((size, SIDE, SIDE), ground)
    for image, label in zip(images, labels.tolist(), strict=True):
        _draw(image, MODES[label], int(plate), rng)
    images += rng.integers(-NOISE, NOISE + 1, images.shape)
    return images.clip(0, 255), labels


def _draw(image: Pixels, mode: str, plate: int, rng: np.random.Generator) -> None:
    top, left = rng.integers(1, 4, 2)
    bottom, right = top + 8, left + 8 - 2 * (mode == "short")
    image[top:bottom, left:right] = plate
    if mode == "scratch":
        row = rng.integers(top + 2, bottom - 2)
        image[row, left + 1 : right - 1] -= 60
    elif mode == "chip":
        image[top : top + 3, right - 3 : right] = image[0, 0]
    elif mode == "stain":
        y, x = rng.integers(1, 5, 2)
        image[top + y : top + y + 3, left + x : left + x + 3] -= 50


def table(part: str, size: int = LOT_SIZE) -> pa.Table:
    """One of the two parts as a frame table."""
    lots = [lot(number, size) for number in LOTS[part]]
    pixels = np.concatenate([images for images, _ in lots]).reshape(-1, SIDE * SIDE)
    labels = np.concatenate([labels for _, labels in lots])
    columns = {f"data{i}": pixels[:, i].astype(np.uint8) for i in range(SIDE * SIDE)}
    modes = np.asarray(MODES)[labels]
    groups = np.repeat([f"lot-{number:02d}" for number in LOTS[part]], size)
    return pa.table({**columns, "label": labels, "fmode": modes, "group": groups})


def main(folder: Path) -> None:
    for part in LOTS:
        content = io.BytesIO()
        pq.write_table(table(part), content)
        write(folder / f"{part}.parquet", content.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
