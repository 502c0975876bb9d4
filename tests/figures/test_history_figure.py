"""The plot of many runs, and the changes that it marks."""

import numpy as np
import pandas as pd
import pytest

from gaikan.check.history import COLUMNS
from gaikan.figures.history_figure import change_points, history_figure
from gaikan.figures.style import pixels


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
