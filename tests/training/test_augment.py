"""Augmentation against a naive loop, and what it must leave alone."""

from typing import Literal

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from gaikan.config.recipe import AugmentConfig
from gaikan.training.augment import erase, light, move, warp, warped

Flip = Literal["none", "horizontal", "vertical", "both"]


def images() -> Tensor:
    return torch.randint(0, 256, (40, 2, 7, 9), generator=torch.Generator().manual_seed(0)).byte()


def all_moves(image: Tensor, shift: int, flip: Flip) -> list[Tensor]:
    """Every image that may come of one, by padding and cutting."""
    _, height, width = image.shape
    padded = np.pad(image.numpy(), ((0, 0), (shift, shift), (shift, shift)), mode="edge")
    moved = []
    for dy in range(2 * shift + 1):
        for dx in range(2 * shift + 1):
            cut = padded[:, dy : dy + height, dx : dx + width]
            moved.append(cut)
            if flip in ("vertical", "both"):
                moved.append(cut[:, ::-1])
            if flip in ("horizontal", "both"):
                moved.append(cut[:, :, ::-1])
            if flip == "both":
                moved.append(cut[:, ::-1, ::-1])
    return [torch.from_numpy(each.copy()) for each in moved]


@pytest.mark.parametrize("flip", ["none", "horizontal", "vertical", "both"])
def test_each_image_is_one_of_its_own_moves(flip: Flip) -> None:
    config = AugmentConfig(shift=0.25, flip=flip)  # 2 pixels of 7 and of 9
    moved = move(images(), config, np.random.default_rng(0))
    assert moved.dtype == torch.uint8
    for before, after in zip(images(), moved, strict=True):
        assert any(torch.equal(after, each) for each in all_moves(before, 2, flip))


@pytest.mark.parametrize(("size", "most"), [(8, 1), (12, 1), (36, 3), (39, 3), (128, 10)])
def test_the_default_shift_grows_with_the_image(size: int, most: int) -> None:
    ramp = torch.arange(size, dtype=torch.float32).expand(400, 1, size, size)
    moved = move(ramp, AugmentConfig(), np.random.default_rng(0))
    places = set((moved[:, 0, 0, size // 2] - size // 2).tolist())
    assert places == {*range(-most, most + 1)}


def test_images_of_a_batch_move_apart() -> None:
    same = images()[:1].repeat(40, 1, 1, 1)
    moved = move(same, AugmentConfig(shift=0.25), np.random.default_rng(0))
    assert len({each.numpy().tobytes() for each in moved}) > 10


def test_nothing_asked_for_changes_nothing() -> None:
    config = AugmentConfig(shift=0)
    rng = np.random.default_rng(0)
    assert torch.equal(move(images(), config, rng), images())
    assert torch.equal(light(images().float(), config, rng), images().float())


def test_each_image_is_lit_as_one_and_images_apart() -> None:
    config = AugmentConfig(brightness=0.5)
    change = light(images().double(), config, np.random.default_rng(0)) - images()
    of_image = change.mean((1, 2, 3))
    torch.testing.assert_close(change, of_image.view(-1, 1, 1, 1).expand_as(change))
    assert of_image.min() < -0.4
    assert of_image.max() > 0.4
    assert of_image.abs().max() <= 0.5


def test_in_each_image_a_rectangle_is_erased() -> None:
    full = torch.ones(300, 2, 10, 20)
    found = erase(full, AugmentConfig(erase=0.5), np.random.default_rng(0))
    gone = found[:, 0] == 0
    assert torch.equal(found, torch.where(gone[:, None], 0.0, full))
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(gone, rows[:, :, None] & columns[:, None])
    for spans, most in ((rows, 5), (columns, 10)):
        edges = spans.int().diff(dim=1, prepend=torch.zeros(300, 1), append=torch.zeros(300, 1))
        assert (edges.abs().sum(1) <= 2).all()  # one run
        assert set(spans.sum(1).tolist()) == {*range(most + 1)}
        assert spans.any(0).all()


def test_erasing_can_hide_all_or_nothing() -> None:
    rng = np.random.default_rng(0)
    normalised = images().float()
    assert torch.equal(erase(normalised, AugmentConfig(), rng), normalised)
    whole = erase(torch.ones(400, 1, 3, 3), AugmentConfig(erase=1), rng)
    assert (whole.sum((1, 2, 3)) == 0).any()


def test_a_warped_image_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.normal(size=(30, 40)), 2)
    angles, zooms = np.array([0.3, -0.7, 0.0]), np.array([[1.0, 1.0], [1.2, 0.8], [0.7, 1.0]])
    batch = torch.from_numpy(image).expand(3, 1, -1, -1)
    centre = (np.array(image.shape) - 1) / 2
    for found, angle, zoom in zip(warped(batch, angles, zooms), angles, zooms, strict=True):
        cos, sin = np.cos(angle), np.sin(angle)
        back = np.array([[cos, sin], [-sin, cos]]) / zoom[:, None]
        expected = ndimage.affine_transform(
            image, back, centre - back @ centre, order=1, mode="nearest"
        )
        np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-9)


def test_a_quarter_turn_is_anticlockwise() -> None:
    square = torch.rand(1, 2, 9, 9, generator=torch.Generator().manual_seed(0))
    turned = warped(square, np.array([np.pi / 2]), np.ones((1, 2)))
    torch.testing.assert_close(turned, torch.rot90(square, 1, (2, 3)))


def test_turn_and_zoom_stay_within_what_is_asked() -> None:
    config, rng = AugmentConfig(turn=10, zoom=0.2), np.random.default_rng(0)
    assert torch.equal(warp(images().float(), AugmentConfig(), rng), images().float())
    ramp = torch.linspace(-1, 1, 65).expand(500, 1, 65, 65)
    slopes = warp(ramp, config, rng)[:, 0, 32, 33] * 32  # across: cos(angle) / zoom of 1 a pixel
    assert 1 / 1.2 * np.cos(np.deg2rad(10)) - 1e-3 <= slopes.min() < 0.86
    assert 1.15 < slopes.max() <= 1.2 + 1e-3
