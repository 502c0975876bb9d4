"""`--unseen`: the grid once more without each failure mode, and what becomes of that mode."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from gaikan.config.model import Config
from gaikan.errors import ConfigError, first_line
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.good_only import good_only_rows
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.unseen import (
    Unseen,
    UnseenRow,
    not_measured,
    unseen_rows,
    unseen_table,
)
from gaikan.evaluation.unseen_parts import parts_table, unseen_parts
from gaikan.evaluation.without_mode import WithoutMode, leave_out, modes_to_leave_out
from gaikan.grid.cells import axes, cells, run_cells
from gaikan.grid.jobs import Watcher
from gaikan.language.words import plain
from gaikan.training.cell import Cell
from gaikan.training.frozen_cells import frozen_cells
from gaikan.training.weights import Weights

if TYPE_CHECKING:
    from gaikan.flow.bench_run import CellPlace, Work


def check_unseen(config: Config, experiment: Experiment, weights: Weights | None) -> None:
    """Raises ConfigError where no defect can be left out of what the networks have learned.

    With reasons for all of them, that is no error unless a stage limits what escapes of them.
    """
    if weights is not None:
        raise ConfigError("unseen: the network of a file may have seen every defect; leave it out")
    modes = modes_to_leave_out(experiment)
    if not modes:
        raise ConfigError("--unseen: training has good parts alone, so no defect to leave out")
    limits = [name for name, stage in config.stage.items() if stage.unseen_escape is not None]
    if limits and (why := _why_none(experiment, modes)) is not None:
        raise ConfigError(
            f"key 'stage.{limits[0]}.unseen_escape': no failure mode can be left out of training: "
            f"{why}; take this limit away"
        )


def _why_none(experiment: Experiment, modes: list[str]) -> str | None:
    """Why the last of the modes cannot be left out; None where one of them can."""
    why = None
    for mode in modes:
        reason = leave_out(experiment, mode).reason
        if reason is None:
            return None
        why = f"{mode}: {reason.en}"
    return why


def leave_modes_out(
    config: Config,
    place: "CellPlace",
    work: "Work",
    watcher: Watcher,
) -> Unseen:
    """What becomes of each failure mode; the store keeps what is trained for it."""
    modes = modes_to_leave_out(work.experiment)
    rows: list[UnseenRow] = []
    parts: list[pd.DataFrame] = []
    failed: list[FailedCell] = []
    for number, mode in enumerate(modes, start=1):
        watcher.note(f"without {mode} (failure mode {number} of {len(modes)})")
        each = leave_out(work.experiment, mode)
        networks, missing = _networks(config, place, work, each, watcher, failed)
        rows += missing
        for network in networks:
            rows += unseen_rows(network, each)
            parts += unseen_parts(network, each, work.experiment.train)
    watcher.stage("fitting the reference of good parts")
    by_image = work.cells[0].recipe.train.normalise != "source"
    rows += good_only_rows(work.experiment, by_image)
    return Unseen(unseen_table(rows), parts_table(parts), failed)


def _networks(
    config: Config,
    place: "CellPlace",
    work: "Work",
    left_out: WithoutMode,
    watcher: Watcher,
    failed: list[FailedCell],
) -> tuple[list[EvaluatedNetwork], list[UnseenRow]]:
    """The networks without the mode, and rows that say why others are missing.

    Adds the trainings that failed to `failed`.
    """
    usual = [cell for cell in work.cells if cell.protocol == "held-out"]
    reason, todo = left_out.reason, list[Cell]()
    if reason is None:
        try:
            todo = _cells(config, place, work, left_out)
        except ConfigError as error:  # a style's options may need the class
            reason = plain(first_line(error))
    if reason is not None:
        return [], [row for cell in usual for row in not_measured(cell, left_out, reason)]
    train, test = left_out.experiment.train, left_out.experiment.test
    networks: list[EvaluatedNetwork] = []
    missing: list[UnseenRow] = []
    results = run_cells(todo, train, test, work.store, watcher, place.cluster)
    for cell, result in zip(todo, results, strict=True):
        if result.trained is None or result.embedded is None:
            why = result.failure or "unknown"
            missing += not_measured(cell, left_out, plain(why))
            name = f"{cell.name} without {left_out.mode}"
            failed.append(replace(FailedCell.of(cell, why), cell=name))
        else:
            networks.append(EvaluatedNetwork.of(cell, result.trained, result.embedded))
    return networks, missing


def _cells(
    config: Config,
    place: "CellPlace",
    work: "Work",
    left_out: WithoutMode,
) -> list[Cell]:
    """The cells of the grid on the parts that are left, frozen networks saved."""
    experiment = left_out.experiment
    train, parts, ok = experiment.train, experiment.parts, experiment.ok
    todo = cells(config, place.device, parts, train, place.hardware, ok)
    for file in work.backbones:
        anchors = tuple(axes(config)[2])
        more, entries, _ = frozen_cells(file, config, place.device, anchors, parts, train, ok)
        todo += more
        for key, content in entries.items():
            work.store.save(key, content)
    return todo
