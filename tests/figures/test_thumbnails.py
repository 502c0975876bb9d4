"""The sheet of all parts that a page shows."""

import io

import numpy as np
import pytest
from PIL import Image

from gaikan.figures.thumbnails import COLUMNS, SIDE, sheet


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_has_its_place_on_the_sheet(channels: int) -> None:
    levels = np.linspace(0, 255, COLUMNS + 5).round().astype(np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (len(levels), channels, 2 * SIDE, SIDE))
    made = sheet(images)
    assert (made.width, made.height) == (SIDE // 2, SIDE)
    with Image.open(io.BytesIO(made.content)) as opened:
        pixels = np.asarray(opened.convert("L"), float)
    assert pixels.shape == (2 * SIDE, COLUMNS * SIDE // 2)
    for i, level in enumerate(levels):
        row, column = divmod(i, COLUMNS)
        tile = pixels[row * SIDE :, column * SIDE // 2 :][: SIDE - 1, : SIDE // 2 - 1]
        assert abs(tile.mean() - level) < 3


def test_values_that_are_not_bytes_share_one_scale() -> None:
    images = np.linspace(-1, 1, 50, dtype=np.float32)[:, None, None, None] * np.ones(
        (1, 8, 8), "f4"
    )
    with Image.open(io.BytesIO(sheet(images).content)) as opened:
        pixels = np.asarray(opened.convert("L"), float)
    means = [pixels[8 * (i // COLUMNS) :, 8 * (i % COLUMNS) :][:8, :8].mean() for i in range(50)]
    assert means[0] < 5
    assert means[-1] > 250
    assert (np.diff(means) > -2).all()
