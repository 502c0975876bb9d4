"""How well copies are found: `python bench/copies.py DATA` prints the table of bench/README.md.

DATA holds `tiles/by_picture_*.csv`, `tiles/*.csv` with a column `group`, and `deeppcb_*.parquet`.
Of DeepPCB 200 of 4,000 images are altered and looked for among these; then 300 test images are
looked for in training as they are. Then 30,000 images of one fixture, for time and memory. These
draws are others than those that the search's thresholds were chosen on.
"""

import io
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import shift

from gaikan.data.sources import read_source
from gaikan.data.terminals import terminals
from gaikan.evaluation.copies import find_copies

Pixels = NDArray[np.uint8]


def fitted(images: Any, pad: bool = False) -> Pixels:
    """At 36 x 39 again: resized, or its rim repeated."""
    if pad:
        rows, columns = 36 - images.shape[2], 39 - images.shape[3]
        around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
        return np.pad(images, ((0, 0), (0, 0), *around), "edge")
    sized = [Image.fromarray(image).resize((39, 36)) for image in images[:, 0]]
    return np.stack([np.asarray(image) for image in sized])[:, None]


def shrunk(images: Pixels) -> Pixels:
    sized = [Image.fromarray(image).resize((35, 32)) for image in images[:, 0]]
    return fitted(np.stack([np.asarray(image) for image in sized])[:, None], pad=True)


def jpeg(images: Pixels) -> Pixels:
    stored = []
    for image in images[:, 0]:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=90)
        stored.append(np.asarray(Image.open(file)))
    return np.stack(stored)[:, None]


def noisy(images: Any, level: float = 2) -> Pixels:
    noise = np.random.default_rng(105).normal(0, level, images.shape)
    stored: Pixels = (images + noise).round().clip(0, 255).astype(np.uint8)
    return stored


def moved(by: float) -> Callable[[Pixels], Pixels]:
    return lambda images: shift(images, (0, 0, by, -by), mode="nearest")


ALTERED: dict[str, Callable[[Pixels], Any]] = {
    **{f"shift {by}": moved(by) for by in (0.5, 1, 1.5, 2)},
    "shift 2, one way": lambda images: shift(images, (0, 0, 2, 0), mode="nearest"),
    "mirror": lambda images: images[..., ::-1],
    "turn by 180": lambda images: images[..., ::-1, ::-1],
    "turn by 90, resized": lambda images: fitted(np.rot90(images, 1, (2, 3))),
    "turn by 90, cropped, padded": lambda images: fitted(
        np.rot90(images[..., 1:37], 1, (2, 3)), pad=True
    ),
    "turn by 270, mirrored": lambda images: fitted(np.rot90(images, 3, (2, 3))[..., ::-1]),
    "crop 2": lambda images: fitted(images[:, :, 2:-2, 2:-2]),
    "scale 0.9": shrunk,
    "exposure 0.7": lambda images: (images * 0.7 + 20).astype(np.uint8),
    "JPEG 90": jpeg,
    "noise 2": noisy,
}


def tiles(data: Path) -> None:
    tables = [data / f"tiles/by_picture_{part}.csv" for part in ("train", "test")]
    sources = [read_source(str(table)) for table in tables]
    of_tile = pd.concat([pd.read_csv(data / f"tiles/{part}.csv") for part in ("train", "test")])
    paths = pd.concat([pd.read_csv(table) for table in tables])["path"]
    tile = of_tile.set_index("path")["group"].loc[paths].to_numpy()
    found = find_copies(*(source.images for source in sources))
    first, second = found.first[found.near].T
    right, n_train = tile[first] == tile[second], len(sources[0])
    across = (first < n_train) & (second >= n_train)
    could = np.isin(tile[n_train:], tile[:n_train]).sum()
    print(f"| tiles: test parts found | {len(set(second[across & right]))} of {could} |")
    print(f"| tiles: pairs of one tile | {100 * right.mean():.1f} % of {len(right)} |")


def altered(train: Pixels, test: Pixels) -> None:
    rng = np.random.default_rng(100)
    some = rng.permutation(len(train))[:2500], rng.permutation(len(test))[:1500]
    base = np.concatenate([train[some[0]], test[some[1]]])
    chosen = rng.permutation(len(base))[:200]
    for name, alter in ALTERED.items():
        found = find_copies(base, np.ascontiguousarray(alter(base[chosen])))
        copies, pairs = found.sets[len(base) :], set(map(tuple, found.near.tolist()))
        hits = [a == b or (min(a, b), max(a, b)) in pairs
                for a, b in zip(found.sets[chosen], copies, strict=True)]  # fmt: skip
        print(f"| DeepPCB: {name} | {100 * np.mean(hits):.1f} % |", flush=True)


def plain(train: Pixels, test: Pixels) -> None:
    chosen = np.random.default_rng(111).permutation(len(test))[:300]
    found = find_copies(train, test[chosen])
    second = found.first[found.near[:, 1]]
    n_named = len(set(second[second >= len(train)]))
    print(f"| DeepPCB: test images as they are, named | {n_named} of 300 |")


def fixture() -> None:
    rng, base = np.random.default_rng(103), terminals("test").images[3, 0].astype(float)
    for noise in (1, 2, 3, 4):
        for spots in (False, True):
            images = np.repeat(base[None], 1000, 0)
            for image in images[::4] if spots else []:
                y, x = rng.integers(0, 35), rng.integers(0, 38)
                image[y : y + 2, x : x + 2] += rng.choice([-60, 60])
            named = len(np.unique(find_copies(noisy(images[:, None], noise)).near))
            what = f"noise {noise}{', spots on a quarter' * spots}"
            print(f"| fixture: {what} | {named / 10:.1f} % |", flush=True)


def many() -> None:
    images = noisy(np.repeat(terminals("test").images[3:4], 30_000, 0))
    started = time.process_time()
    find_copies(images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"| 30,000 images alike | {time.process_time() - started:.0f} CPU s, {peak:.2f} GB |")


if __name__ == "__main__":
    data = Path(sys.argv[1])
    boards = [np.asarray(read_source(str(data / f"deeppcb_{part}.parquet")).images, np.uint8)
              for part in ("train", "test")]  # fmt: skip
    print("| what | found |\n|---|--:|")
    many()
    tiles(data)
    altered(boards[0], boards[1])
    plain(boards[0], boards[1])
    fixture()
