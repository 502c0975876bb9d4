"""What networks think of parts that they did not learn from: a training for each fold of a deal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import GaikanError
from gaikan.grid.cells import run_cells
from gaikan.grid.jobs import Watcher
from gaikan.system.store import Store
from gaikan.training.cell import CHOOSING, Cell, Finished
from gaikan.training.nearest_anchor import Floats
from gaikan.training.stored_network import Embeddings, StoredEmbeddings
from gaikan.training.train import Recipe


@dataclass(frozen=True)
class OutOfFold:
    """Scores of the K classes by one deal, the larger the likelier; they are no probabilities.

    J = K: how near the mean embeddings are; J = 2 K where the style has a head: its logits, too.
    """

    fold: NDArray[np.int64]  # (N,) of each training part, the fold that held it out
    train: Floats  # (N, J), by the network of the part's own fold
    test: Floats  # (F, M, J) of the test parts, by each of the F networks


def out_of_fold(
    recipe: Recipe,
    deals: Sequence[Sequence[Parts]],
    device: str,
    train: Frames,
    test: Frames,
    store: Store,
    watcher: Watcher,
) -> list[OutOfFold]:
    """Trains a network for each fold, unless the store has it, and lets it judge what it never saw.

    Of each deal; the next one has the next seed. The last epoch counts: nothing is chosen on a
    fold. Raises GaikanError where a training fails.
    """
    todo = [
        Cell(
            replace(recipe, seed=recipe.seed + deal),
            fold.fit,
            fold.validation,
            (CHOOSING,),
            device,
            fold=number,
        )
        for deal, folds in enumerate(deals)
        for number, fold in enumerate(folds, start=1)
    ]
    results = zip(todo, run_cells(todo, train, test, store, watcher), strict=True)
    return [_joined(list(islice(results, len(folds))), len(train)) for folds in deals]


def _joined(judges: Sequence[tuple[Cell, Finished]], n_parts: int) -> OutOfFold:
    """What the networks of one deal say of `n_parts` training parts."""
    fold_of = np.zeros(n_parts, np.int64)
    of_train, of_test = [], []
    for cell, finished in judges:
        if finished.embedded is None or cell.fold is None:
            raise GaikanError(f"{cell.name}: {finished.failure}")
        embedded = StoredEmbeddings.unpack(finished.embedded)
        fold_of[cell.validation_rows] = cell.fold
        of_train.append(_scores(embedded, embedded.validation))
        of_test.append(_scores(embedded, embedded.test))
    rows = np.concatenate([cell.validation_rows for cell, _ in judges])
    return OutOfFold(fold_of, np.concatenate(of_train)[np.argsort(rows)], np.stack(of_test))


def _scores(embedded: StoredEmbeddings, embeddings: Embeddings) -> Floats:
    """Scores (N, J) of embeddings (N, D)."""
    kinds: list[Floats] = [-embedded.distances(CHOOSING, embeddings)]
    if embedded.head is not None:
        kinds.append(embeddings.astype(np.float64) @ embedded.head.weight.T + embedded.head.bias)
    return np.concatenate(kinds, axis=1)
