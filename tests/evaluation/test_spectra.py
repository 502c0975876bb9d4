"""Spectra of pairs: where two images show the same, however they are turned and shifted."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from gaikan.evaluation.spectra import by_turns, match, overlaps, spectra, turn, turned

Floats = NDArray[np.float32]
SHIFTS = [*product((-2, 0, 2), (-2, 0, 2))]
TURNS = [*product((False, True), repeat=3)]  # of rows, of columns, height and width exchanged


def scene() -> Floats:
    noise = np.random.default_rng(0).normal(size=(2, 60, 60))
    return (128 + 300 * gaussian_filter(noise, (0, 1.5, 1.5))).astype(np.float32)


def views(rows: bool, columns: bool, exchanged: bool) -> tuple[Floats, Floats]:
    """What a camera sees of one scene, and of it shifted by SHIFTS and turned: (9, H, W) each."""
    whole, (height, width) = scene()[0], (32, 32 if exchanged else 36)
    first = np.stack([whole[10 : 10 + height, 10 : 10 + width]] * len(SHIFTS))
    second = np.stack([whole[10 + y : 10 + y + height, 10 + x : 10 + x + width] for y, x in SHIFTS])
    second = second[:, :: -1 if rows else 1, :: -1 if columns else 1]
    return first, second.transpose(0, 2, 1) if exchanged else second


@pytest.mark.parametrize(("rows", "columns", "exchanged"), TURNS)
def test_of_shifted_and_turned_images_what_both_show_is_the_same(
    rows: bool, columns: bool, exchanged: bool
) -> None:
    first, second = views(rows, columns, exchanged)
    of_first, of_second = spectra(first), spectra(second)
    each = np.arange(len(first))
    parts = np.concatenate([by_turns(of_first), by_turns(of_second)])
    turns = turn(parts, each, each + len(each))
    found = match(of_first, turned(of_second, turns))
    value = match(*overlaps(first, second, turns, found)).value
    moved = np.array([shift != (0, 0) for shift in SHIFTS])
    assert (value[moved] > found.value[moved]).all()
    assert (1 - value[moved]).mean() < 0.5 * (1 - found.value[moved]).mean()


def test_of_other_images_what_both_show_is_not_the_same() -> None:
    images = scene()
    first = np.stack([images[0, y : y + 32, y : y + 36] for y in range(20)])
    second = np.stack([images[1, y : y + 32, y : y + 36] for y in range(20)])
    turns = np.zeros(20, np.int64)
    found = match(spectra(first), spectra(second))
    assert match(*overlaps(first, second, turns, found)).value.max() < 0.6


def test_a_match_moves_the_second_image_onto_the_first() -> None:
    first, second = (spectra(each) for each in views(True, True, False))
    found = match(first, second)
    assert found.is_half.all()
    moved = (first * found.moved(second).conj()).sum((1, 2)).real
    np.testing.assert_allclose(moved, found.value, rtol=1e-4)
