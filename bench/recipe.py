"""What a change of the recipe brings on validation: one change at a time, several data sets.

`python bench/recipe.py OUT ARCH SEEDS all FILE.toml ...` trains the vanilla and the triplet of an
architecture with each change (or with those named instead of `all`: `"turn 5,margin 2"`) on the
data set of each file (`terminals`: no file). It prints a line a decision as a training ends:
balanced accuracy of the validation part in %, and its change, in points, against the recipe as it
is, of the same seed.
Seeds share one split, so that what is left between them is what training scatters. Test images are
not embedded. Networks are kept in OUT/NAME/CHANGE/store, so that an interrupted run goes on.
"""

import itertools
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from here import one_thread
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from trained_grid import decisions

from gaikan.config.toml_files import load_config
from gaikan.data.frames import Labels
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.networks import Embedder
from gaikan.training.recall import mean_recall
from gaikan.variants import HEAD

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Change:
    """A change of the recipe: keys of the configuration, or code that is patched meanwhile."""

    keys: Mapping[str, object] = field(default_factory=dict)
    patched: Callable[[], AbstractContextManager[object]] = nullcontext
    styles: tuple[str, ...] = ("triplet", "vanilla")


def by_root(labels: Labels, batch_size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Batches (n_batches, B) in which a class has a share as the root of its size, and 2 at least.

    Drawn as balanced ones are: no image comes again before every other of its class has come.
    """
    sizes = np.bincount(labels)
    roots = np.sqrt(sizes)
    counts = np.maximum(2, np.round(batch_size * roots / roots.sum())).astype(int)
    n_batches = -(-len(labels) // counts.sum())
    batches = []
    for label in np.flatnonzero(sizes):
        rows, n = np.flatnonzero(labels == label), n_batches * counts[label]
        passes = np.tile(rows, (-(-n // len(rows)), 1))
        batches.append(rng.permuted(passes, axis=1).reshape(-1)[:n].reshape(n_batches, -1))
    return np.concatenate(batches, axis=1)


def of_length_1(embedder: Embedder, normalised: Tensor) -> Tensor:
    """Embeddings on the unit sphere."""
    return F.normalize(embedder.network(normalised).float())


def warm_up(share: float) -> AbstractContextManager[object]:
    """The learning rate rises for that share of the steps; as it is for 0.3 of them."""
    schedule = partial(OneCycleLR, pct_start=share)
    return patch.object(torch.optim.lr_scheduler, "OneCycleLR", schedule)


CHANGES = {
    AS_IT_IS: Change(),
    "weight_decay 0.0625": Change({"train.weight_decay": 0.0625}),
    "weight_decay 0.25": Change({"train.weight_decay": 0.25}),
    "label_smoothing 0": Change(
        {"style": {"vanilla": {"label_smoothing": 0.0}}}, styles=("vanilla",)
    ),
    "margin 0.5": Change({"style": {"triplet": {"margin": 0.5}}}, styles=("triplet",)),
    "margin 2": Change({"style": {"triplet": {"margin": 2.0}}}, styles=("triplet",)),
    "erase 0.3": Change({"augment.erase": 0.3}),
    "brightness 0.3": Change({"augment.brightness": 0.3}),
    "turn 5": Change({"augment.turn": 5.0}),
    "by root of size": Change(
        patched=lambda: patch("gaikan.training.train.balanced_batches", by_root)
    ),
    "warm-up 0.1": Change(patched=lambda: warm_up(0.1)),
    "length 1": Change(
        patched=lambda: patch.object(Embedder, "embed", of_length_1), styles=("triplet",)
    ),
}


@lru_cache
def experiment(name: str) -> Experiment:
    """The data set of a file, divided by the first seed."""
    return prepare(load_config(None if name == "terminals" else Path(name), {"seeds": 1}))


def balanced(
    name: str, arch: str, style: str, seed: int, change: str, out: Path
) -> dict[str, float]:
    """Balanced accuracy of the validation part, by the anchors and by the head if there is one."""
    cell = {"grid.arch": [arch], "grid.style": [style], "grid.anchor": ["mean_embedding"]}
    keys = {**cell, **CHANGES[change].keys, "base_seed": seed, "seeds": 1}
    config = load_config(None if name == "terminals" else Path(name), keys)
    train, (part,) = experiment(name).train, experiment(name).parts.values()
    nothing = train.take(np.arange(1))  # instead of the test part
    folder = out / Path(name).stem / change.replace(" ", "_")
    with CHANGES[change].patched(), patch("gaikan.grid.pool.processes", one_thread):
        found = decisions(config, {seed: part}, train, nothing, folder, "validation")
        return {
            f"{style} (head)" if variant.anchor == HEAD else style: mean_recall(
                train.labels[part.validation], decision.predicted
            )
            for variant, decision in found
        }


def main(out: str, arch: str, seeds: str, changes: str, *names: str) -> None:
    """Prints a line a decision: of each change, data set, style and seed."""
    known: dict[tuple[str, int, str], float] = {}  # as it is
    asked = [*CHANGES] if changes == "all" else [AS_IT_IS, *changes.split(",")]
    todo = itertools.product(asked, names, range(int(seeds)))
    for change, name, seed in todo:
        for style in CHANGES[change].styles:
            for decision, found in balanced(name, arch, style, seed, change, Path(out)).items():
                before = known.setdefault((name, seed, decision), found)
                row = f"{change} | {Path(name).stem} | {arch} | {decision} | {seed}"
                print(f"| {row} | {100 * found:.1f} | {100 * (found - before):+.1f} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
