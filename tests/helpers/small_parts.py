"""The images of a small bundle as people have them: files, and tables."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image


def write_files(folder: Path, some: NDArray[np.uint8]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03}.png" for i in range(len(some))]
    for path, image in zip(paths, some, strict=True):
        Image.fromarray(image[0]).save(path)
    return paths


def write_table(path: Path, some: NDArray[Any]) -> Path:
    flat = some.reshape(len(some), math.prod(some.shape[1:]))
    columns = {f"data{i}": flat[:, i] for i in range(flat.shape[1])}
    pq.write_table(pa.table(columns), path, row_group_size=10_000)
    return path


def write_labelled_table(path: Path, rows: int, seed: int, noise: int = 120) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    pixels = rng.integers(0, noise, (rows, 64)) + 60 * np.eye(3, 64, dtype=int)[labels].cumsum(1)
    table = pd.DataFrame(pixels.astype(np.uint8), columns=[f"data{i}" for i in range(64)])
    table["label"], table["fmode"] = labels, np.array(["ok", "spur", "open"])[labels]
    table.to_parquet(path)
