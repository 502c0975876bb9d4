"""The original script's protocol, beside the held-out one, to show by how much it flatters.

It trains on a bootstrap draw of 60 % of the training rows, looks at the first 1,000 test rows, and
takes the anchors from those rows' own labels before it scores them: what is scored has been seen.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gaikan.anchors import ANCHORS, FitPart
from gaikan.data.frames import Frames, Images
from gaikan.errors import DataError
from gaikan.evaluation.comparisons import difference
from gaikan.evaluation.rates import JudgedParts
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.seeds import stream
from gaikan.training.cell import Cell
from gaikan.training.embed import embed
from gaikan.training.nearest_anchor import anchor_distances
from gaikan.variants import HEAD

ROWS = 1000
SHARE = 0.6
_TRIES = 100


def original_cells(cells: list[Cell], train: Frames) -> list[Cell]:
    """The same cells, each to be trained on its seed's bootstrap draw, which may divide groups.

    The epoch is chosen on the rows that were not drawn; the rest is as in the held-out protocol.
    """
    draws = {cell.recipe.seed: draw(train, cell.recipe.seed) for cell in cells}
    return [
        replace(
            cell,
            fit_rows=draws[cell.recipe.seed],
            validation_rows=np.setdiff1d(np.arange(len(train)), draws[cell.recipe.seed]),
            protocol="original",
        )
        for cell in cells
    ]


def draw(train: Frames, seed: int) -> NDArray[np.int64]:
    """Rows of a bootstrap draw of 60 % of the size; drawn again while a class is missing.

    Raises DataError where a class is so rare that none of 100 draws has all classes.
    """
    rng = stream(seed, "original")
    for _ in range(_TRIES):
        rows = rng.integers(0, len(train), round(SHARE * len(train)))
        if len(np.unique(train.labels[rows])) == len(train.classes):
            return rows
    raise DataError(
        f"{train.source}: a class is too rare for the bootstrap draw of protocol 'original'; "
        "add images of it or use protocol 'held-out'"
    )


def right_answers(network: EvaluatedNetwork, test: Frames) -> dict[str, NDArray[np.bool_]]:
    """By variant: which of the first 1,000 test rows are right, by anchors from their labels."""
    labels = test.labels[:ROWS]
    present, codes = np.unique(labels, return_inverse=True)
    embedder = network.trained.fast_embedder()

    def embed_images(images: Images) -> NDArray[np.float32]:
        return embed(embedder, torch.from_numpy(images))

    embeddings = network.embedded.test[:ROWS]
    part = FitPart(test.images[:ROWS], codes, embeddings, len(present), embed_images)
    right = {}
    for variant in network.variants:
        if variant.anchor == HEAD:
            distances = network.embedded.distances(HEAD, embeddings)
            right[variant.name] = distances.argmin(1) == labels
        else:
            distances = anchor_distances(embeddings, ANCHORS[variant.anchor](part))
            right[variant.name] = present[distances.argmin(1)] == labels
    return right


def optimism(answers: list[dict[str, NDArray[np.bool_]]], judged: JudgedParts) -> pd.DataFrame:
    """By variant: `original`, its accuracy, and `optimism` with `low` and `high`.

    The optimism is the original protocol's accuracy less the held-out one's, on the same test
    rows and seeds. Variants that lack a seed in either protocol are left out.
    """
    rows = []
    for i, variant in enumerate(judged.variants):
        right = [network[variant] for network in answers if variant in network]
        if len(right) == len(judged.seeds):
            original = np.stack(right)
            n = original.shape[1]
            groups = None if judged.groups is None else judged.groups[:n]
            by, low, high = difference(original, judged.correct[i, :, :n], groups)
            rows.append((variant, original.mean(), by, low, high))
    names = ["variant", "original", "optimism", "optimism_low", "optimism_high"]
    return pd.DataFrame(rows, columns=names)
