"""Progress: in a terminal a bar, elsewhere a line now and then; a first table after one seed."""

import re
import time
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from gaikan.commands import progress
from gaikan.commands.progress import GridProgress, StepProgress
from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.training.cell import Cell, Finished
from gaikan.training.stored_network import StoredNetwork
from gaikan.training.train import Recipe


def console(terminal: bool = False) -> tuple[Console, StringIO]:
    shown = StringIO()
    made = Console(file=shown, width=100, force_terminal=terminal, color_system=None)
    return made, shown


def cell(arch: str, seed: int, epochs: int = 24) -> Cell:
    none = np.arange(0)
    recipe = Recipe(arch, "triplet", {}, TrainConfig(epochs=epochs), AugmentConfig(), seed)
    return Cell(recipe, none, none, ("mean_embedding",), "cpu")


def finished(score: float) -> Finished:
    recipe = {"arch": "mlp", "style": "triplet", "seed": 0}
    scores = {"1": 0.1, "2": score}
    network = StoredNetwork(
        {}, {}, recipe, ("a", "b"), (1, 2, 2), validation_scores=scores, best_epoch=2
    )
    return Finished(network.pack(), b"", 1.0)


def test_without_a_terminal_lines_say_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.02)
    made, shown = console()
    with StepProgress(made, "timing") as steps:
        steps("mlp in torch", 3, 8)
        deadline = time.monotonic() + 20
        while not shown.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    said = shown.getvalue().splitlines()
    assert {line.split(maxsplit=2)[2] for line in said} == {"3 of 8: mlp in torch"}
    time.sleep(0.1)
    assert shown.getvalue().splitlines() == said  # it ends with the work


def test_in_a_terminal_no_line_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.02)
    made, shown = console(terminal=True)
    with StepProgress(made, "timing") as steps:
        steps("mlp in torch", 3, 8)
        time.sleep(0.1)
    assert "3 of 8" not in shown.getvalue()


def test_a_first_table_comes_when_one_seed_of_all_networks_has_ended() -> None:
    made, shown = console()
    cells = [cell(arch, seed) for seed in (4, 5) for arch in ("cnn", "mlp")]
    with GridProgress(made) as grid:
        grid.begin(cells, [])
        grid.end(cells[2], finished(0.99))  # of the second seed
        grid.end(cells[1], finished(0.7))
        assert shown.getvalue() == ""
        grid.end(cells[0], finished(0.9))
        first = shown.getvalue().splitlines()
        grid.end(cells[3], finished(0.8))
    assert [line.split() for line in first[1:3]] == [
        ["cnn-triplet", "90.0"],
        ["mlp-triplet", "70.0"],
    ]
    assert "provisional" in first[0]
    assert "one seed" in first[3]
    assert shown.getvalue().splitlines() == first  # once


def test_a_network_that_failed_is_not_in_the_first_table() -> None:
    made, shown = console()
    cells = [cell(arch, seed) for seed in (0, 1) for arch in ("cnn", "mlp")]
    with GridProgress(made) as grid:
        grid.begin(cells, [])
        grid.end(cells[0], Finished(failure="diverged"))
        grid.end(cells[1], finished(0.7))
    said = shown.getvalue()
    assert "failed cnn-triplet seed 0: diverged" in said
    assert "mlp-triplet" in said
    assert said.count("cnn-triplet") == 1


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_there_is_no_first_table_of_one_seed_or_of_half_a_seed(seeds: tuple[int, ...]) -> None:
    made, shown = console()
    cells = [cell("mlp", seed) for seed in seeds]
    stored = [cell("cnn", 0)] if len(seeds) > 1 else []
    with GridProgress(made) as grid:
        grid.begin(cells, stored)
        for each in cells:
            grid.end(each, finished(0.7))
    assert "provisional" not in shown.getvalue()


def left(state: str) -> int:
    """Seconds, of the words that a state says of them."""
    (minutes, seconds), *more = re.findall(r"about (\d+):(\d\d) left", state)
    assert not more
    return 60 * int(minutes) + int(seconds)


def test_the_time_left_does_not_leap_when_a_cell_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time, as two workers train them: a `cnn` takes 24 s and the `mlp` 84 epochs."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    cells = [cell("cnn", seed) for seed in range(4)] + [cell("mlp", seed, 84) for seed in range(2)]
    shown = list[int]()
    with GridProgress(console(terminal=True)[0]) as bar:
        bar.begin(cells, [])
        for two in (cells[:2], cells[2:4]):
            for epoch in range(1, 25):
                now[0] += 1
                for each in two:
                    bar.epoch(each, epoch, 0.5)
                    shown += [left(bar.state)] if epoch > 1 else []
            for each in two:
                bar.end(each, finished(0.9))
                shown.append(left(bar.state))
    assert 46 <= shown[0] <= 72  # six cells of 24 s, two at once: 72 s, less what is over
    assert max(np.diff(shown)) <= 1
    assert 23 <= shown[-1] <= 24  # the two `mlp`, of which nothing is known, as slow as a `cnn`


def test_a_second_grid_of_the_same_names_counts_anew_and_shows_no_table() -> None:
    """As with --unseen, which trains the grid once more without each failure mode."""
    made, shown = console(terminal=True)
    grid = [cell("mlp", 0), cell("mlp", 1)]
    with GridProgress(made) as bar:
        bar.begin([], grid)
        bar.begin(grid, [])
        for each in grid:
            bar.epoch(each, 2, 0.5)
            bar.end(each, finished(0.9))
        assert bar.state.startswith("2/2 cells")
        bar.begin(grid, [])
        bar.epoch(grid[0], 1, 0.5)
        assert bar.state.startswith("0/2 cells")
        assert bar.started.keys() == {grid[0].name}
    assert "provisional" not in shown.getvalue()
