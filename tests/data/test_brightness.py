"""How much brightness varies, and what is made of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gaikan.data.brightness import between_images
from gaikan.data.frames import Frames
from gaikan.grid.cells import resolve_normalise
from gaikan.networks import Embedder


def drawn(exposure: float, n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Images of three classes, each under a light of its own that varies by `exposure`."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    light = 100 * np.exp(exposure * rng.standard_normal((n, 1, 1, 1)))
    light += 40 * labels[:, None, None, None]
    pattern = rng.uniform(0.5, 1.5, (n, 2, 6, 7))
    return (light * pattern).astype(np.float32), labels


def naive(images: np.ndarray, labels: np.ndarray) -> float:
    """Pixel by pixel, each channel against the mean of the image and of the class."""
    between = total = 0.0
    for channel in range(images.shape[1]):
        pixels = images[:, channel].astype(float)
        total += float(((pixels - pixels.mean()) ** 2).sum())
        for image, label in zip(pixels, labels, strict=True):
            of_class = pixels[labels == label].mean()
            between += image.size * float((image.mean() - of_class) ** 2)
    return between / total


@pytest.mark.parametrize("exposure", [0.0, 0.1, 0.8])
def test_the_share_is_that_of_sums_of_squares(exposure: float) -> None:
    images, labels = drawn(exposure)
    assert between_images(images, labels) == pytest.approx(naive(images, labels), rel=1e-6)
    order = np.random.default_rng(1).permutation(len(labels))
    assert between_images(images[order], 5 - labels[order]) == pytest.approx(
        between_images(images, labels)
    )


def test_what_tells_classes_apart_does_not_count() -> None:
    labels = np.arange(40) % 4
    flat = np.broadcast_to(50 * labels[:, None, None, None], (40, 1, 5, 5)).astype(np.uint8)
    assert between_images(flat, labels) == 0
    assert between_images(flat, np.zeros(40, np.int64)) == 1
    assert between_images(np.full((40, 1, 5, 5), 7, np.uint8), labels) == 0


def test_many_images_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaikan.data.brightness._SAMPLE", 30)
    images, labels = drawn(0.5)
    assert between_images(images, labels) == pytest.approx(naive(images[::3], labels[::3]))


def source(exposure: float) -> Frames:
    images, labels = drawn(exposure)
    names = ("a", "b", "c")
    return Frames("made", images, labels, names, names, np.arange(len(labels)))


def test_images_of_all_exposures_are_normalised_one_by_one() -> None:
    assert resolve_normalise("auto", source(0.05)) == "source"
    assert resolve_normalise("auto", source(1.0)) == "local"
    assert resolve_normalise("source", source(1.0)) == "source"


@given(st.floats(0.2, 5), st.floats(-50, 50))
@settings(deadline=None)
def test_by_image_exposure_does_not_matter(gain: float, offset: float) -> None:
    images = torch.from_numpy(drawn(0.3)[0][:, :1])
    embedder = Embedder(
        torch.nn.Identity(), images.mean((0, 2, 3)), images.std((0, 2, 3)), how="image"
    )
    one, other = embedder(images), embedder(gain * images + offset)
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    flat = one.flatten(1)
    torch.testing.assert_close(flat.mean(1), torch.zeros(len(flat)), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat.std(1, correction=0), torch.ones(len(flat)), atol=2e-3, rtol=0)


def test_an_image_without_contrast_stays_so() -> None:
    mean, std = torch.tensor([90.0]), torch.tensor([30.0])
    embedder = Embedder(torch.nn.Identity(), mean, std, how="image")
    flat = torch.full((2, 1, 4, 4), 200, dtype=torch.uint8)
    assert torch.equal(embedder(flat), torch.zeros(2, 1, 4, 4))
