"""Near copies: what is done to a copy does not hide it, and a fixture makes no copies."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, shift

from gaikan.data.sources import read_source
from gaikan.evaluation.copies import find_copies

DATA = Path("../shared/data")
Pixels = NDArray[np.uint8]
N, COPIED = 160, 40


def parts(n: int, seed: int) -> Pixels:
    """Blots, no two alike."""
    rng = np.random.default_rng(seed)
    smooth = np.stack([gaussian_filter(rng.normal(size=(36, 39)), 1.5) for _ in range(n)])
    return (128 + 300 * smooth).clip(0, 255).astype(np.uint8)[:, None]


def resized(images: Pixels) -> Pixels:
    sized = [Image.fromarray(image).resize((39, 36)) for image in images[:, 0]]
    return np.stack([np.asarray(image) for image in sized])[:, None]


def smaller(images: Pixels) -> Pixels:
    sized = [Image.fromarray(image).resize((35, 32)) for image in images[:, 0]]
    return np.stack([np.asarray(image) for image in sized])[:, None]


def moved(by: float) -> Callable[[Pixels], Pixels]:
    return lambda images: shift(images, (0, 0, by, -by), mode="nearest")


def jpeg(images: Pixels) -> Pixels:
    stored = []
    for image in images[:, 0]:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=90)
        stored.append(np.asarray(Image.open(file)))
    return np.stack(stored)[:, None]


ALTERED: dict[str, Callable[[Pixels], Any]] = {
    "half a pixel": moved(0.5),
    "two pixels": moved(2),
    "mirrored": lambda images: images[..., ::-1],
    "half a turn": lambda images: images[..., ::-1, ::-1],
    "a quarter turn": lambda images: resized(images.swapaxes(2, 3)[..., ::-1]),
    "turned and mirrored": lambda images: resized(images.swapaxes(2, 3)),
    "moved and mirrored": lambda images: moved(2)(images)[..., ::-1],
    "moved and turned by a half": lambda images: moved(2)(images)[..., ::-1, ::-1],
    "moved and turned by a quarter": lambda images: resized(
        moved(2)(images).swapaxes(2, 3)[..., ::-1]
    ),
    "cropped": lambda images: resized(images[:, :, 2:-2, 2:-2]),
    "shrunk": lambda images: np.pad(smaller(images), ((0, 0), (0, 0), (2, 2), (2, 2)), "edge"),
    "exposure": lambda images: (images * 0.6 + 30).astype(np.uint8),
    "jpeg": jpeg,
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_is_done_to_a_copy_does_not_hide_it(name: str) -> None:
    train = parts(N, 0)
    test = np.concatenate([ALTERED[name](train[:COPIED]), parts(20, 1)]).astype(np.uint8)
    found = find_copies(train, test)
    right = {(i, N + i) for i in range(COPIED)}
    pairs = set(map(tuple, found.near.tolist()))
    assert pairs <= right
    assert len(pairs) >= (COPIED // 2 if name == "cropped" else COPIED - 3)


@pytest.mark.parametrize("noise", [1, 2, 4])
@pytest.mark.parametrize("plain", [False, True])
def test_parts_on_one_fixture_are_no_copies_not_even_with_spots(noise: float, plain: bool) -> None:
    rng = np.random.default_rng(2)
    fixture = np.full((36, 39), 128.0) if plain else parts(1, 3)[0, 0].astype(float)
    images = np.repeat(fixture[None], 300, 0)
    for image in images[::2]:
        y, x = rng.integers(0, 34, 2)
        image[y : y + 2, x : x + 2] += rng.choice([-60, 60])
    noisy = (images + rng.normal(0, noise, images.shape)).clip(0, 255).astype(np.uint8)[:, None]
    assert len(np.unique(find_copies(noisy).near)) <= 3


def test_straight_edges_are_no_copies_of_each_other() -> None:
    images = np.zeros((60, 1, 36, 39), np.uint8)
    for i, image in enumerate(images):
        image[0, :, : 5 + i // 2] = 200 + i % 50
    assert len(find_copies(images).near) == 0


def test_tiles_at_other_exposures_are_found() -> None:
    if not DATA.exists():
        pytest.skip("../shared/data is not here")
    tables = [DATA / f"tiles/by_picture_{part}.csv" for part in ("train", "test")]
    sources = [read_source(str(table)) for table in tables]
    of_tile = pd.concat([pd.read_csv(DATA / f"tiles/{part}.csv") for part in ("train", "test")])
    paths = pd.concat([pd.read_csv(table) for table in tables])["path"]
    tile = of_tile.set_index("path")["group"].loc[paths].to_numpy()
    found = find_copies(*(source.images for source in sources))
    first, second = found.first[found.near].T
    right = tile[first] == tile[second]
    across = (first < len(sources[0])) & (second >= len(sources[0]))
    assert right.mean() >= 0.95
    assert right[across].mean() >= 0.95
    assert len(set(second[across & right])) >= 400
