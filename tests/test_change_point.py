"""The change point of a series, and the table and plot of many runs."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gaikan.check.history import COLUMNS
from gaikan.evaluation.change_point import change_point
from gaikan.figures.history_figure import change_points, history_figure
from gaikan.figures.style import pixels

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


def history(n_runs: int, drop: float) -> pd.DataFrame:
    """Two variants, of which `b` drops in the middle."""
    rng = np.random.default_rng(3)
    lines = []
    for run in range(n_runs):
        for variant in ("a", "b"):
            accuracy = 0.8 + rng.normal(0, 0.01) - drop * (variant == "b" and run >= n_runs // 2)
            identity = [f"2025-11-{run + 1:02}T03:00:00+00:00", f"{run:07x}", "aa", variant, 5]
            lines.append([*identity, accuracy, accuracy, 0.1, 0.2, 0.01, "passed"])
    return pd.DataFrame(lines, columns=COLUMNS)


def test_the_variant_that_changed_is_marked_and_no_other() -> None:
    found = change_points(history(10, 0.06))
    assert list(found) == ["b"]
    assert found["b"].first == 5
    assert found["b"].after - found["b"].before == pytest.approx(-0.06, abs=0.02)
    assert not change_points(history(10, 0.0))


def test_the_plot_has_a_panel_a_variant_and_marks_the_change() -> None:
    figure = history_figure(history(10, 0.06))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["a", "b"]
    marks = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert marks[0] == []
    assert float(marks[1][0]) == pytest.approx(-6, abs=2)
    assert pixels(figure).std() > 0


def test_runs_on_other_test_data_are_left_out() -> None:
    table = history(6, 0.0)
    table.loc[:5, "data"] = "bb"
    figure = history_figure(table)
    assert len(figure.axes[0].lines[0].get_xdata()) == 3  # type: ignore[arg-type]


def test_a_first_run_is_plotted() -> None:
    assert len(history_figure(history(1, 0.0)).axes) == 2
