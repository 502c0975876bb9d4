"""Tables of small parts whose classes have hostile names."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

NAMES = (
    "ok",
    "<script>alert(1)</script>",
    "a \"quote\" & 'another'",
    '</script><img src="http://127.0.0.1:9/x" onerror=alert(2)>',
    "line\u2028break | <!-- [x](y)",
)
H, W = 12, 14


def images_of(rows: int, seed: int) -> NDArray[np.uint8]:
    """Noise with a bright bar that makes the class, (N, H, W); the first is always the same."""
    images = np.random.default_rng(seed).integers(0, 140, (rows, H, W), np.uint8)
    images[0] = np.random.default_rng(99).integers(0, 140, (H, W), np.uint8)
    for image, label in zip(images, labels_of(rows), strict=True):
        image[2 * label : 2 * label + 2] += np.uint8(30)
    return images


def labels_of(rows: int) -> NDArray[np.int64]:
    return np.arange(rows) % len(NAMES)


def write_table(path: Path, rows: int, seed: int) -> None:
    labels, pixels = labels_of(rows), images_of(rows, seed).reshape(rows, -1)
    data = {f"data{i}": pixels[:, i] for i in range(H * W)}
    pq.write_table(pa.table({**data, "label": labels, "fmode": np.array(NAMES)[labels]}), path)
