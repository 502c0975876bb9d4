"""How many labels that were flipped on purpose `gaikan labels` finds, and what it is worth.

`python bench/labels.py OUT SEEDS terminals` or `... OUT SEEDS TRAIN.parquet TEST.parquet`. SEEDS:
how many trainings show what correcting is worth; 0: only how many are found. Networks stay in OUT:
a second call trains nothing.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from here import Silent
from numpy.typing import NDArray
from trained_grid import decisions

from gaikan.config.toml_files import load_config
from gaikan.data.corrections import TRAIN, Correction, Corrections, corrected
from gaikan.data.folds import DEALS, deal_folds
from gaikan.data.frames import Frames, Labels
from gaikan.evaluation.doubts import Doubts, doubt_labels
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.evaluation.out_of_fold import OutOfFold, out_of_fold
from gaikan.grid.cells import cells
from gaikan.report.markdown_table import percent
from gaikan.seeds import stream
from gaikan.system.store import Store

SHOWN = ("resnet-vanilla-head", "resnet-triplet-mean_embedding")
SHARES = (0.01, 0.03, 0.05)
Counts = NDArray[np.float64]


class Bench:
    """A data set, its networks that are out of fold, and those that learn from changed labels."""

    def __init__(self, out: Path, seeds: int, train: str, test: str | None) -> None:
        asked: dict[str, object] = {"data.train": train, "data.test": test}
        grid = {"grid.arch": ["resnet"], "grid.anchor": ["mean_embedding"]}
        own: dict[str, object] = {"train.epochs": 5, "augment.flip": "both"}
        if train == "terminals":
            own = {"train.epochs": 10}
        quick = load_config(None, asked | grid | own | {"seeds": 1, "grid.style": ["vanilla"]})
        self.out, self.seeds = out, seeds
        styles = {"seeds": max(seeds, 1), "grid.style": ["vanilla", "triplet"]}
        self.usual = load_config(None, asked | grid | styles)
        self.experiment: Experiment = prepare(self.usual)
        parts = self.experiment.parts
        (self.cell,) = cells(quick, "cpu", {0: parts[0]}, self.experiment.train)

    def judged(self, frames: Frames) -> tuple[list[OutOfFold], Doubts]:
        """What networks of the folds think of the labels of the training source `frames`."""
        deals = [deal_folds(frames, self.experiment.parts[0], seed) for seed in range(DEALS)]
        store, test = Store(self.out / "store"), self.experiment.test
        found = out_of_fold(self.cell.recipe, deals, "cpu", frames, test, store, Silent())
        return found, doubt_labels(found, frames.labels, test.labels).train

    def accuracies(self, frames: Frames) -> list[str]:
        """Of the networks in `SHOWN` on test, in %: means over seeds, by the default recipe."""
        parts, test = self.experiment.parts, self.experiment.test
        found: dict[str, list[float]] = {name: [] for name in SHOWN}
        for variant, decision in decisions(self.usual, parts, frames, test, self.out):
            if variant.name in found:
                found[variant.name].append(float((decision.predicted == test.labels).mean()))
        return [percent(sum(each) / len(each)) for each in found.values()]


def main(out: Path, seeds: int, train: str, test: str | None) -> None:
    """Prints a line of the table for each way to flip."""
    bench = Bench(out, seeds, train, test)
    source = bench.experiment.train
    truth, n_classes = source.labels, len(source.classes)
    found, doubts = bench.judged(source)
    show("none", bench, source, doubts, truth)
    called = found[0].train[:, :n_classes].argmax(1)
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, (truth, called), 1)
    for how, likely in (("random", np.ones_like(confusion)), ("confusion", confusion + 1e-9)):
        for share in SHARES:
            frames = replace(source, labels=flipped(truth, likely, share, how))
            _, doubts = bench.judged(frames)
            show(f"{percent(share)} {how}", bench, frames, doubts, truth)


def flipped(truth: Labels, likely: Counts, share: float, how: str) -> Labels:
    """Labels of which a share are flipped; `likely` (K, K) says how often to which class."""
    labels = truth.copy()
    rng = stream(0, "flip", how, str(share))
    for row in rng.permutation(len(labels))[: round(share * len(labels))]:
        chances = likely[labels[row]].copy()
        chances[labels[row]] = 0
        labels[row] = rng.choice(len(chances), p=chances / chances.sum())
    return labels


def show(case: str, bench: Bench, frames: Frames, table: Doubts, truth: Labels) -> None:
    """Doubted of all labels; of the flipped ones, those doubted, those among twice as many rows of
    the table as were flipped, and of the doubted ones those whose proposal is the true class.

    Then accuracies of networks that learned from the labels as they are, from those that somebody
    has mended who looked at so many rows, and from every proposal for a doubted label, unseen.
    """
    wrong = frames.labels != truth
    doubted, first = table.index[: table.doubted], table.index[: 2 * wrong.sum()]
    proposed = table.proposed[: table.doubted]
    right = (proposed == truth[doubted])[wrong[doubted]]
    figures: list[float | None] = [len(doubted) / len(truth), None, None, None]
    if wrong.any():
        shares = [wrong[rows].sum() / wrong.sum() for rows in (doubted, first)]
        figures[1:] = [*shares, right.mean() if len(right) else None]
    cells = list(map(percent, figures))
    if bench.seeds:
        looked = mended(frames, first, truth[first])
        for each in (frames, looked, mended(frames, doubted, proposed)):
            cells += bench.accuracies(each)
    print(f"| {case} | {' | '.join(cells)} |", flush=True)


def mended(frames: Frames, index: Sequence[int] | NDArray[np.int64], correct: Labels) -> Frames:
    """`frames` as with a table in which the parts at `index` (n,) are said to be `correct` (n,)."""
    filled = tuple(
        Correction(
            "", TRAIN, int(frames.rows[i]), frames.place(i), frames.names[i], frames.classes[c]
        )
        for i, c in zip(index, correct, strict=True)
    )
    return corrected(frames, Corrections("labels.csv", filled))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5], *[None] * (5 - len(sys.argv)))
