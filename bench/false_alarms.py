"""The unchanged smoke grid with other base seeds, against the baseline: how often it fails.

`python bench/false_alarms.py OUT FIRST COUNT [KEY=VALUE]` checks COUNT base seeds from 1000 FIRST
on in steps of 1000, and prints a line for each. KEY=VALUE, such as train.precision=bf16, changes
what should not matter.
"""

import sys
from pathlib import Path

from here import BASELINE, smoke, train_here

from gaikan.check.baseline import Baseline
from gaikan.check.outcome import Settings, check
from gaikan.check.tables import headline, reasons


def main(out: Path, first: int, count: int, *changes: str) -> None:
    baseline = Baseline.read(BASELINE)
    changed = dict(change.split("=") for change in changes)
    for base_seed in range(1000 * first, 1000 * (first + count), 1000):
        config = smoke(base_seed=base_seed, **changed)
        tested = train_here(config, out / "-".join([str(base_seed), *changed.values()]))
        outcome = check(tested, lambda: None, baseline, Settings())
        differences = [abs(line.difference) for line in outcome.lines]
        print(
            f"base seed {base_seed}: {headline(outcome)}; "
            f"largest difference {100 * max(differences):.1f} points",
            *reasons(outcome),
            sep="\n  ",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
