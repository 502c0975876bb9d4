"""What local contrast keeps of an image, and what it takes out."""

import numpy as np
import pytest
import torch

from gaikan.networks.local_contrast import local_contrast


def texture(channels: int, height: int, width: int) -> torch.Tensor:
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(2, channels, height, width)))
    return images / images.std((1, 2, 3), correction=0, keepdim=True)


def by_loop(image: np.ndarray, row: int, column: int, half: int) -> np.ndarray:
    """The pixel less its neighbourhood's mean, in deviations of all channels; no interpolation."""

    def around(values: np.ndarray) -> np.ndarray:
        rows = slice(max(0, row - half), row + half)
        part = values[:, rows, max(0, column - half) : column + half]
        return np.asarray(part.mean((1, 2)))

    means = around(image)
    variance = around((image - means[:, None, None]) ** 2).mean()
    centred: np.ndarray = image[:, row, column] - means
    return np.asarray(centred / np.sqrt(variance + 0.01))


@pytest.mark.parametrize("shape", [(1, 128, 128), (3, 64, 96)])
def test_it_is_that_of_a_loop_over_pixels(shape: tuple[int, int, int]) -> None:
    images = texture(*shape)
    half = min(shape[1:]) // 16
    found = local_contrast(images).numpy()[0]
    rng = np.random.default_rng(1)
    rows, columns = (rng.integers(0, size, 200) for size in shape[1:])
    naive = np.array(
        [by_loop(images[0].numpy(), *at, half) for at in zip(rows, columns, strict=True)]
    )
    # Means on a grid and interpolated are not those around each pixel: alike, not equal.
    correlation = np.corrcoef(found[:, rows, columns].T.ravel(), naive.ravel())[0, 1]
    assert correlation > 0.98
    assert found[:, rows, columns].std() == pytest.approx(naive.std(), rel=0.1)


def test_light_and_shade_are_taken_out_and_a_spot_is_not() -> None:
    even = texture(1, 128, 128) / 4
    even[:, :, 60:64, 60:64] -= 2
    across = torch.linspace(-1, 1, 128, dtype=torch.float64)
    shaded = even * (1 + 0.5 * across) + 2 * across[:, None]
    lit, plain = local_contrast(shaded), local_contrast(even)
    assert torch.corrcoef(torch.stack([shaded.flatten(), even.flatten()]))[0, 1] < 0.5
    assert torch.corrcoef(torch.stack([lit.flatten(), plain.flatten()]))[0, 1] > 0.95
    assert lit[:, 0, 60:64, 60:64].mean() < 1.5 * lit.flatten(1).quantile(0.02, 1).mean()


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (24, 24), (36, 39), (50, 200)])
def test_any_size_and_no_contrast_give_numbers(size: tuple[int, int]) -> None:
    flat = local_contrast(torch.full((2, 3, *size), 0.5))
    assert flat.shape == (2, 3, *size)
    torch.testing.assert_close(flat, torch.zeros_like(flat), atol=1e-5, rtol=0)
    assert torch.isfinite(local_contrast(torch.rand(1, 1, *size))).all()


def test_a_grey_image_in_colour_stays_grey() -> None:
    grey = texture(1, 32, 32)
    torch.testing.assert_close(
        local_contrast(grey.expand(-1, 3, -1, -1))[:, :1], local_contrast(grey)
    )
