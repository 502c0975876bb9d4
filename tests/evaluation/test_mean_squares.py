"""Mean squares of seeds and units: against naive loops and known variances."""

import numpy as np
import pytest
from scipy.stats import norm

from gaikan.evaluation.mean_squares import (
    LEAST_SPREAD,
    MeanSquares,
    Units,
    effective_units,
    least_effect,
)
from gaikan.evaluation.statistics import estimate


def test_mean_squares_equal_a_naive_loop() -> None:
    cells = np.random.default_rng(3).normal(size=(4, 7))
    found = MeanSquares.of(Units.of(cells[None], None))
    mean = cells.mean()
    of_seeds = sum(7 * (cells[s].mean() - mean) ** 2 for s in range(4)) / 3
    of_units = sum(4 * (cells[:, g].mean() - mean) ** 2 for g in range(7)) / 6
    rest = sum(
        (cells[s, g] - cells[s].mean() - cells[:, g].mean() + mean) ** 2
        for s in range(4)
        for g in range(7)
    )
    assert found.of_seeds[0] == pytest.approx(of_seeds)
    assert found.of_units[0] == pytest.approx(of_units)
    assert found.of_rest[0] == pytest.approx(rest / 18)


def test_sums_and_squares_equal_a_naive_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (2, 3, 20)).astype(float)
    lots = rng.integers(0, 4, 20)
    found = Units.of(values, lots)
    for v in range(2):
        for s in range(3):
            for g, lot in enumerate(np.unique(lots)):
                assert found.sums[v, s, g] == values[v, s, lots == lot].sum()
        assert found.squares[v] == sum(x**2 for x in values[v].ravel())
        assert found.squares_of_parts[v] == sum(values[v, :, n].sum() ** 2 for n in range(20))


def test_events_are_units_of_zeros_and_ones() -> None:
    rng = np.random.default_rng(0)
    events, lots = rng.random((2, 1, 30)) < 0.3, rng.integers(0, 4, 30)
    of_parts = Units.of(events, lots)
    of_counts = Units.of_events(of_parts.sums[:, 0], of_parts.sizes)
    for name in ("sums", "sizes", "squares", "squares_of_parts"):
        np.testing.assert_array_equal(getattr(of_counts, name), getattr(of_parts, name))


def test_effective_units_are_fewer_where_one_is_large() -> None:
    assert effective_units(np.full(10, 10)) == pytest.approx(10)
    assert effective_units(np.array([50] + [5] * 10)) == pytest.approx(1 / (0.25 + 10 * 0.05**2))


def test_nearly_equal_units_give_nearly_the_error_of_equal_ones() -> None:
    rng = np.random.default_rng(1)
    lots = np.repeat(np.arange(8), 50)
    values = rng.random((5, 3, 400)) < np.linspace(0.3, 0.9, 8)[lots]
    equal = estimate(MeanSquares.of(Units.of(values, lots)))
    lots = np.concatenate([[1], lots[1:]])  # one part has moved
    unequal = estimate(MeanSquares.of(Units.of(values, lots)))
    np.testing.assert_allclose(unequal.error, equal.error, rtol=0.05)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_order_of_variants_parts_and_lots_does_not_matter(seeds: int) -> None:
    rng = np.random.default_rng(2)
    values, lots = rng.random((3, seeds, 200)) < 0.8, rng.integers(0, 9, 200) ** 2 // 9
    parts, variants = rng.permutation(200), rng.permutation(3)
    one = estimate(MeanSquares.of(Units.of(values, lots))).error
    other = estimate(MeanSquares.of(Units.of(values[variants][:, :, parts], 99 - lots[parts])))
    np.testing.assert_allclose(other.error, one[variants], rtol=1e-3)


def test_where_a_large_lot_differs_the_error_is_that_of_the_known_variances() -> None:
    rng = np.random.default_rng(3)
    sizes = np.array([400] + [40] * 20)
    lots = np.repeat(np.arange(21), sizes)
    chance = 0.5 + 0.2 * rng.uniform(-1, 1, (300, 1, 21))
    values = rng.random((300, 1, len(lots))) < chance[:, :, lots]
    found = estimate(MeanSquares.of(Units.of(values, lots)))
    shares = sizes / sizes.sum()
    between = 0.2**2 / 3
    known = np.square(shares).sum() * between + (0.25 - between) / sizes.sum()
    assert np.square(found.error).mean() == pytest.approx(known, rel=0.15)


def test_the_least_effect_is_that_of_lots_that_differ() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(200_000, 1)), rng.normal(size=(200_000, 2))
    margins = (LEAST_SPREAD * shared + own) / np.hypot(1, LEAST_SPREAD)
    for border in (-2.0, -1.0, 0.5):
        seen = np.corrcoef((margins < border).T)[0, 1]
        expected = least_effect(2, np.array([norm.cdf(border)]))  # lots of two parts
        assert expected[0] == pytest.approx(1 + seen, abs=0.01)
