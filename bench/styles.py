"""What a training style brings: same recipe, same split, test figures on several data sets.

`python bench/styles.py OUT ARCH SEEDS FILE.toml ...` trains every style of the registry on each
data set (`terminals`: no file) and prints a Markdown table: accuracy and balanced accuracy by the
mean embeddings, and the change of accuracy against triplet, paired by part and lot, with its 95 %
interval. Networks are kept in OUT/NAME/store, so that an interrupted run goes on.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from trained_grid import decisions

from gaikan.config.toml_files import load_config
from gaikan.evaluation.comparisons import difference
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.report.markdown_table import markdown, percent
from gaikan.styles import STYLES
from gaikan.training.recall import mean_recall
from gaikan.variants import HEAD

ANCHOR, AGAINST = "mean_embedding", "triplet"
Called = NDArray[np.int64]


def predicted(name: str, out: Path, arch: str, seeds: int) -> tuple[Experiment, dict[str, Called]]:
    """The experiment, and each decision's classes (S, N) of the test parts by its name."""
    grid = {"grid.arch": [arch], "grid.style": [*STYLES], "grid.anchor": [ANCHOR], "seeds": seeds}
    config = load_config(None if name == "terminals" else Path(name), grid)
    experiment = prepare(config)
    train, test = experiment.train, experiment.test
    found: dict[str, list[Called]] = {}
    folder = out / config.run_name
    for variant, decision in decisions(config, experiment.parts, train, test, folder):
        head = " (head)" if variant.anchor == HEAD else ""
        found.setdefault(variant.style + head, []).append(decision.predicted)
    return experiment, {style: np.stack(called) for style, called in found.items()}


def rows(name: str, out: Path, arch: str, seeds: int) -> list[list[str]]:
    """A row a style: data set, style, accuracy, balanced accuracy, change against triplet."""
    experiment, called = predicted(name, out, arch, seeds)
    test, lines = experiment.test, []
    right = {style: seen == test.labels for style, seen in called.items()}
    for style, seen in called.items():
        balanced = np.mean([mean_recall(test.labels, own) for own in seen])
        change, low, high = difference(right[style], right[AGAINST], test.groups)
        shown = f"{100 * change:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        accuracy, other = percent(right[style].mean()), percent(float(balanced))
        lines.append([Path(name).stem, style, accuracy, other, "" if style == AGAINST else shown])
    return lines


def main(out: str, arch: str, seeds: str, *names: str) -> None:
    """Prints the table, a data set at a time."""
    header = ["data", "style", "accuracy", "balanced", f"against {AGAINST}"]
    for name in names:
        print(markdown(header, rows(name, Path(out), arch, int(seeds))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
