"""The change point of a series: against trying them all, and by simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gaikan.evaluation.change_point import change_point

Floats = NDArray[np.float64]


def best_cut(values: Floats) -> int:
    """By trying them all: the cut that leaves the least squares."""
    squares = [
        sum(np.square(part - part.mean()).sum() for part in (values[:k], values[k:]))
        for k in range(1, len(values))
    ]
    return int(np.argmin(squares)) + 1


def test_the_change_point_leaves_the_least_squares() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 5, 12):
        values = rng.normal(0.8, 0.01, n)
        found = change_point(values, np.full(n, 0.01), np.full(n, 4.0), rng)
        assert found is not None
        assert found.first == best_cut(values)
        assert found.before == pytest.approx(values[: found.first].mean())
        assert found.after == pytest.approx(values[found.first :].mean())


def test_noise_alone_is_a_change_point_in_5_percent_of_series() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(400):
        seeds = rng.normal(0.8, 0.02, (8, 5))  # 8 runs of 5 seeds
        errors = seeds.std(1, ddof=1) / np.sqrt(5)
        point = change_point(seeds.mean(1), errors, np.full(8, 4.0), rng)
        assert point is not None
        found.append(point.p < 0.05)
    assert 0.02 <= np.mean(found) <= 0.08


def test_a_repeated_run_is_no_new_evidence() -> None:
    once, errors = np.array([0.80, 0.79]), np.full(2, 0.01)
    again = np.repeat(once, 10)
    rng = np.random.default_rng(2)
    short = change_point(once, errors, np.full(2, 4.0), rng)
    long = change_point(again, np.repeat(errors, 10), np.full(20, 4.0), rng)
    assert short is not None
    assert long is not None
    assert long.p == pytest.approx(short.p, abs=0.03)
    assert long.first == 10


@pytest.mark.parametrize("values", [[0.8], [0.8, 0.8, 0.8]])
def test_a_series_that_never_moved_has_no_change_point(values: list[float]) -> None:
    n, rng = len(values), np.random.default_rng(0)
    assert change_point(np.array(values), np.full(n, 0.01), np.full(n, 4.0), rng) is None
