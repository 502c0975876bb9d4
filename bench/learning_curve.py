"""What learning curves are worth: fitted on at most half of the images, held against all of them.

`python bench/learning_curve.py OUT SEEDS ARCH ...` trains each architecture's networks on 1/8, 1/4,
1/2 and all of the terminals' fit lots, fits a curve to the first three, and prints how far the
accuracy at 100 % is from the prediction, and whether it is within the 80 % interval: for all seeds
together, and for each alone. Networks are kept in OUT/store; an interrupted run goes on.
"""

import sys
from pathlib import Path

import numpy as np

from gaikan.commands.progress import GridProgress
from gaikan.commands.terminal import open_console
from gaikan.config.toml_files import load_config
from gaikan.evaluation.experiment import prepare
from gaikan.evaluation.fewer_images import SHARES, count_errors, smaller_cells
from gaikan.evaluation.learning_curve import Sizes, fit_curve
from gaikan.grid.cells import cells, resolve_device, run_cells
from gaikan.report.markdown_table import markdown, percent
from gaikan.system.store import Store


def predicted(name: str, who: str, sizes: Sizes) -> tuple[list[str], float, bool]:
    """(row, error of the prediction in points, whether the interval holds) at all images."""
    half = Sizes(sizes.images[:-1], sizes.wrong[:, :-1], sizes.parts)
    middle, low, high = fit_curve(half).accuracy(sizes.images[-1])
    seen = 1 - float((sizes.wrong[:, -1] / sizes.parts).mean())
    shares = [percent(1 - float(x)) for x in (sizes.wrong / sizes.parts[:, None]).mean(0)]
    row = [name, who, *shares, percent(middle), f"{percent(low)}-{percent(high)}"]
    return [*row, f"{100 * (middle - seen):+.1f}"], 100 * (middle - seen), low <= seen <= high


def main(out: str, seeds: str, *archs: str) -> None:
    """Prints the table, and what share of the predictions hold."""
    grid = {"grid.arch": [*archs], "grid.anchor": ["mean_embedding"], "seeds": int(seeds)}
    config = load_config(None, grid)
    experiment = prepare(config)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    whole = cells(config, resolve_device(config.device), experiment.parts, experiment.train)
    todo = [*smaller_cells(whole, experiment.train), *whole]
    with GridProgress(open_console(stderr=True)) as progress:
        results = run_cells(
            todo, experiment.train, experiment.test, Store(folder / "store"), progress
        )
    table = count_errors(todo, results, experiment.train)
    rows, joint, held = [], [], []
    for variant, sizes in table.sizes().items():
        for who in ["all", *range(len(sizes.parts))]:
            own = slice(None) if who == "all" else slice(int(who), int(who) + 1)
            part = Sizes(sizes.images, sizes.wrong[own], sizes.parts[own])
            row, distance, holds = predicted(variant, str(who), part)
            rows.append(row)
            if who == "all":
                joint.append(abs(distance))
            held.append(holds)
    header = ["variant", "seed", *(f"{s:.3g}" for s in (*SHARES, 1)), "said", "80 %", "off"]
    print(markdown(header, rows))
    print(f"within 1.5 points: {np.mean(np.array(joint) <= 1.5):.0%} of {len(joint)} variants")
    print(f"intervals that hold: {np.mean(held):.0%} of {len(held)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
