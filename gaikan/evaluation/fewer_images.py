"""Cells that learn from fewer images, and what their networks get wrong."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gaikan.data.fewer import fewer
from gaikan.data.frames import Frames, Labels
from gaikan.evaluation.error_counts import ALL_PARTS, ErrorCounts
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.seeds import stream
from gaikan.training.batches import balanced_batches
from gaikan.training.cell import Cell, Finished
from gaikan.training.train import Recipe

SHARES = (0.125, 0.25, 0.5)  # of the fit part


def smaller_cells(whole: Sequence[Cell], train: Frames) -> list[Cell]:
    """The cells again for each of `SHARES` of their fit rows, with the same recipe and seed.

    Each takes as many steps as its cell, to half an epoch, so in more epochs where an epoch has
    fewer batches: in as many epochs fewer images would mean less training, too, and a network that
    has hardly begun looks like one that needs images (a cnn's siamese: 69 % right with half of
    them, and 91 % in as many steps).

    Raises TooFewError where there are too few lots or images.
    """
    parts = {cell.recipe.seed: cell.fit_rows for cell in whole}
    drawn = {seed: fewer(train, rows, SHARES, seed) for seed, rows in parts.items()}
    return [
        replace(
            cell,
            recipe=_as_many_steps(cell, train.labels[rows], train.labels[cell.fit_rows]),
            fit_rows=rows,
            protocol=f"learning curve, {100 * share:g} % of the images, held-out",
        )
        for cell in whole
        for share, rows in zip(SHARES, drawn[cell.recipe.seed], strict=True)
    ]


def _as_many_steps(cell: Cell, part: Labels, whole: Labels) -> Recipe:
    """The recipe of a cell, for the images with the labels `part` (N,) instead of `whole` (M,)."""
    train = cell.recipe.train
    of_part, of_whole = (
        len(balanced_batches(labels, train.batch_size, stream(0, "count")))
        for labels in (part, whole)
    )
    epochs = round(train.epochs * of_whole / of_part)
    return replace(cell.recipe, train=train.model_copy(update={"epochs": epochs}))


def count_errors(cells: Sequence[Cell], finished: Sequence[Finished], train: Frames) -> ErrorCounts:
    """Of every cell that gave a network; the test part is not looked at."""
    kinds = train.names if train.modes is None else train.modes
    rows = []
    for cell, result in zip(cells, finished, strict=True):
        if result.trained is None or result.embedded is None:
            continue
        network = EvaluatedNetwork.of(cell, result.trained, result.embedded)
        lots = None if train.groups is None else len(np.unique(train.groups[cell.fit_rows]))
        learned = {"seed": cell.recipe.seed, "images": len(cell.fit_rows), "lots": lots}
        judged = kinds[cell.validation_rows]
        for variant, decision in network.decisions("validation", None):
            missed = decision.predicted != train.labels[cell.validation_rows]
            for mode in (ALL_PARTS, *np.unique(judged)):
                own = missed if mode == ALL_PARTS else missed[judged == mode]
                counted = {"mode": str(mode), "parts": len(own), "wrong": int(own.sum())}
                rows.append({"variant": variant.name, **learned, **counted})
    return ErrorCounts(pd.DataFrame(rows))
