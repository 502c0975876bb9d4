"""Learning curves: what is drawn by a power law is found again, with its uncertainty."""

import numpy as np
import pytest

from gaikan.evaluation.learning_curve import Sizes, TooFarError, fit_curve, trusted_curve

IMAGES = np.array([200.0, 400.0, 800.0])


def drawn(
    rng: np.random.Generator, slope: float, floor: float, scatter: float = 0.1, seeds: int = 3
) -> Sizes:
    """Wrong parts of 1,000 after trainings that scatter by so much in their log error."""
    errors = 0.15 * (IMAGES / 800) ** -slope + floor
    trained = errors * np.exp(scatter * rng.standard_normal((seeds, len(IMAGES))))
    wrong = rng.binomial(1000, np.minimum(trained, 1)).astype(float)
    return Sizes(IMAGES, wrong, np.full(seeds, 1000.0))


@pytest.mark.parametrize(("slope", "floor"), [(0.3, 0.0), (0.5, 0.02), (0.9, 0.03)])
def test_the_interval_at_twice_the_images_holds_as_often_as_it_says(
    slope: float, floor: float
) -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(60):
        _, low, high = fit_curve(drawn(rng, slope, floor)).accuracy(1600)
        shown = 0.15 * 2**-slope + floor
        shown *= float(np.exp(0.1 * rng.standard_normal(3)).mean())
        held.append(low <= 1 - shown <= high)
    assert np.mean(held) >= 0.7


def test_more_seeds_make_the_interval_narrower() -> None:
    widths = []
    for seeds in (2, 20):
        curve = fit_curve(drawn(np.random.default_rng(1), 0.5, 0.02, seeds=seeds))
        gain = curve.gain(2)
        assert gain.low <= gain.gain <= gain.high
        widths.append(gain.high - gain.low)
    assert widths[1] < widths[0]


def test_errors_that_do_not_fall_promise_less_than_those_that_do() -> None:
    flat = Sizes(IMAGES, np.full((3, 3), 100.0), np.full(3, 1000.0))
    falling = Sizes(IMAGES, np.tile([400.0, 200.0, 100.0], (3, 1)), np.full(3, 1000.0))
    assert fit_curve(flat).gain(2).gain < fit_curve(falling).gain(2).gain / 2


def test_no_error_at_all_leaves_nothing_to_gain() -> None:
    gain = fit_curve(Sizes(IMAGES, np.zeros((1, 3)), np.array([50.0]))).gain(2)
    assert 0 <= gain.low <= gain.high < 0.02


def test_nothing_is_said_of_more_than_four_times_the_images() -> None:
    curve = fit_curve(drawn(np.random.default_rng(2), 0.5, 0.02))
    curve.gain(4)
    with pytest.raises(TooFarError, match="4 times 800"):
        curve.gain(4.1)


def test_the_figures_are_the_same_each_time() -> None:
    sizes = drawn(np.random.default_rng(3), 0.5, 0.02)
    assert fit_curve(sizes).gain(2) == fit_curve(sizes).gain(2)


def test_a_power_law_is_trusted_nearly_always() -> None:
    rng = np.random.default_rng(3)
    trusted = [trusted_curve(drawn(rng, 0.5, 0.02)) is not None for _ in range(40)]
    assert np.mean(trusted) >= 0.95


def test_networks_that_have_only_just_begun_to_learn_are_not_trusted() -> None:
    """Such as cnn-triplet on terminals: 31, 52, 70, and with all images 94 % right."""
    right = np.array([[455, 529, 611, 940], [306, 521, 701, 944], [345, 504, 802, 958]])
    images = np.array([240.0, 480, 960, 1800])
    assert trusted_curve(Sizes(images, 1000.0 - right, np.full(3, 1000.0))) is None


def test_no_error_at_all_is_trusted() -> None:
    for parts in (5.0, 1000.0):
        assert trusted_curve(Sizes(IMAGES, np.zeros((2, 3)), np.full(2, parts))) is not None


def test_two_sizes_are_too_few() -> None:
    assert trusted_curve(Sizes(IMAGES[:2], np.full((1, 2), 9.0), np.array([50.0]))) is None
