"""The unchanged smoke grid with other base seeds: how often `gaikan check` fails it.

`python bench/false_alarms.py OUT FIRST COUNT [KEY=VALUE]` trains the grid from COUNT base seeds,
1000 FIRST and on in steps of 1000, and checks each against the baseline. KEY=VALUE, such as
train.precision=bf16, changes what should not matter; FIRST 0 are the baseline's own seeds. Then
all seeds of these runs together are divided at random, half as baseline and half as run, many
times: more than COUNT checks can show, though the divisions share their networks.
"""

import sys
from pathlib import Path

import numpy as np
from here import BASELINE, smoke, train_here

from gaikan.check.baseline import Baseline
from gaikan.check.check_tables import headline, reasons
from gaikan.check.differences import Difference
from gaikan.check.frozen_file import read_frozen
from gaikan.check.measures import measured
from gaikan.check.noise import other_seeds
from gaikan.check.outcome import Settings, check
from gaikan.check.run_answers import CheckedRun
from gaikan.check.verdicts import judge
from gaikan.evaluation.verdict_names import INCONCLUSIVE

DIVISIONS = 600


def divided(runs: list[CheckedRun], seeds: int) -> float:
    """The share of random divisions, `seeds` against `seeds`, that fail."""
    variants, actual, ok = list(runs[0].answers), runs[0].actual, runs[0].ok
    predicted = np.stack(
        [np.concatenate([run.answers[variant].predicted for run in runs]) for variant in variants]
    )
    rng, failed = np.random.default_rng(0), 0
    for _ in range(DIVISIONS):
        drawn = rng.permutation(predicted.shape[1])[: 2 * seeds]
        found = []
        for measure in measured(actual, ok):
            now, before = (
                measure.of(predicted[:, half], actual, ok)
                for half in (drawn[:seeds], drawn[seeds:])
            )
            estimate = other_seeds(now, before)
            found.append(Difference(variants, measure, before.mean((1, 2)), estimate))
        failed += any(line.fails for line in judge(found, Settings().margin))
    return failed / DIVISIONS


def main(out: Path, first: int, count: int, *changes: str) -> None:
    baseline = Baseline.read(BASELINE)
    frozen = read_frozen(BASELINE, baseline.frozen)
    changed = dict(change.split("=") for change in changes)
    runs = []
    for base_seed in range(1000 * first, 1000 * (first + count), 1000):
        config = smoke(base_seed=base_seed, **changed)
        runs.append(train_here(config, out / "-".join([str(base_seed), *changed.values()])))
        settings = Settings(allowed=frozenset({INCONCLUSIVE}))
        outcome = check(runs[-1], lambda: None, baseline, frozen, settings)
        said = [f"base seed {base_seed}: {headline(outcome)}", *reasons(outcome)]
        print("\n  ".join(said), flush=True)
    if count > 1:
        share = divided(runs, smoke().seeds)
        print(f"of {DIVISIONS} random divisions of these seeds {100 * share:.1f} % fail")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
