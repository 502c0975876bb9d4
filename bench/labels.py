"""How many labels that were flipped on purpose `gaikan labels` finds.

`python bench/labels.py OUT terminals` or `python bench/labels.py OUT TRAIN.parquet TEST.parquet`.
Networks stay in OUT: a second call trains nothing.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from here import Silent
from numpy.typing import NDArray

from gaikan.config.toml_files import load_config
from gaikan.data.folds import deal_folds
from gaikan.data.frames import Frames
from gaikan.evaluation.doubts import LabelDoubts, doubt_labels
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.evaluation.out_of_fold import OutOfFold, out_of_fold
from gaikan.grid.cells import cells
from gaikan.report.markdown_table import percent
from gaikan.seeds import stream
from gaikan.system.store import Store

FOLDS = 3
Counts = NDArray[np.float64]


def main(out: Path, train: str, test: str | None) -> None:
    """Prints a line of the table for each way to flip."""
    asked: dict[str, object] = {"data.train": train, "data.test": test, "seeds": 1}
    own: dict[str, object] = {"train.epochs": 5, "augment.flip": "both"}
    if train == "terminals":
        own = {"train.epochs": 10}
    grid: dict[str, object] = {"grid.arch": ["resnet"], "grid.style": ["vanilla"]}
    config = load_config(None, asked | own | grid)
    experiment = prepare(config)
    (cell,) = cells(config, "cpu", experiment.parts, experiment.train)
    truth, n_classes = experiment.train.labels, len(experiment.train.classes)

    def judged(frames: Frames) -> tuple[OutOfFold, LabelDoubts]:
        folds = deal_folds(frames, experiment.parts[0], 0, FOLDS)
        store, watcher = Store(out / "store"), Silent()
        found = out_of_fold(cell.recipe, folds, "cpu", frames, experiment.test, store, watcher)
        return found, doubt_labels(found, frames.labels, experiment.test.labels)

    found, doubts = judged(experiment.train)
    show("none", doubts, truth, truth)
    called = found.train[:, :n_classes].argmax(1)
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, (truth, called), 1)
    for how, likely in (("random", np.ones_like(confusion)), ("confusion", confusion + 1e-9)):
        for share in (0.01, 0.03, 0.05):
            labels = flipped(experiment, likely, share, how)
            _, doubts = judged(replace(experiment.train, labels=labels))
            show(f"{percent(share)} {how}", doubts, labels, truth)


def flipped(experiment: Experiment, likely: Counts, share: float, how: str) -> NDArray[np.int64]:
    """Labels of which a share are flipped; `likely` (K, K) says how often to which class."""
    labels = experiment.train.labels.copy()
    rng = stream(0, "flip", how, str(share))
    for row in rng.permutation(len(labels))[: round(share * len(labels))]:
        chances = likely[labels[row]].copy()
        chances[labels[row]] = 0
        labels[row] = rng.choice(len(chances), p=chances / chances.sum())
    return labels


def show(
    case: str, doubts: LabelDoubts, labels: NDArray[np.int64], truth: NDArray[np.int64]
) -> None:
    """Doubted of all labels; of the flipped ones, those doubted, and those with the true class."""
    wrong = labels != truth
    found = doubts.train.index[wrong[doubts.train.index]]
    right = (doubts.train.proposed == truth[doubts.train.index])[wrong[doubts.train.index]]
    share = len(found) / wrong.sum() if wrong.any() else None
    figures = [len(doubts.train.index) / len(labels), share, right.mean() if len(right) else None]
    print(f"| {case} | {' | '.join(map(percent, figures))} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if sys.argv[3:] else None)
