"""The unchanged smoke grid with other base seeds: how often `gaikan check` fails it.

`python bench/false_alarms.py OUT FIRST COUNT [KEY=VALUE]` trains the grid from COUNT base seeds,
1000 FIRST and on in steps of 1000, and checks each against the baseline. KEY=VALUE, such as
train.precision=bf16, changes what should not matter; FIRST 0 are the baseline's own seeds. Then
all seeds of these runs together are divided at random, some as baseline and as many as run, many
times: more than COUNT checks can show, though the divisions share their networks. So too with
every figure of the run 3 points worse.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from here import BASELINE, smoke, train_here

from gaikan.check.baseline import Baseline
from gaikan.check.check_tables import headline, reasons
from gaikan.check.differences import Difference
from gaikan.check.frozen_file import read_frozen
from gaikan.check.measures import Index, measured
from gaikan.check.noise import other_seeds
from gaikan.check.outcome import Settings, check
from gaikan.check.run_answers import CheckedRun
from gaikan.check.verdicts import judge
from gaikan.evaluation.verdict_names import INCONCLUSIVE, SAME

DIVISIONS = 300


def divided(runs: list[CheckedRun], seeds: int, drop: float = 0) -> tuple[float, float]:
    """Of random divisions, `seeds` against `seeds`: the share that fails, and that of same lines.

    The half that is judged is made worse by `drop` (a share) in each of its figures.
    """
    variants, actual, ok = list(runs[0].answers), runs[0].actual, runs[0].ok
    predicted = np.stack(
        [np.concatenate([run.answers[variant].predicted for run in runs]) for variant in variants]
    )
    rng, failed, same = np.random.default_rng(0), [], []
    for _ in range(DIVISIONS):
        drawn = rng.permutation(predicted.shape[1])[: 2 * seeds]
        worse = spoiled(predicted[:, drawn[:seeds]], actual, ok, drop, rng)
        found = []
        for measure in measured(actual, ok):
            now = measure.of(worse, actual, ok)
            before = measure.of(predicted[:, drawn[seeds:]], actual, ok)
            change = other_seeds(now, before)
            found.append(Difference(variants, measure, before.mean((1, 2)), change, seeds < 3))
        lines = judge(found, Settings().margin)
        failed.append(any(line.fails for line in lines))
        same.append(np.mean([line.verdict == SAME for line in lines]))
    return float(np.mean(failed)), float(np.mean(same))


def spoiled(
    predicted: Index, actual: Index, ok: int | None, drop: float, rng: np.random.Generator
) -> Index:
    """Decisions (V, S, N) of which `drop` of each class are wrong besides, good for bad."""
    worse = predicted.copy()
    for row in worse.reshape(-1, worse.shape[-1]):
        for label in np.unique(actual):
            right = np.flatnonzero((actual == label) & (row == label))
            n_wrong = min(len(right), round(drop * int((actual == label).sum())))
            wrong = ok if ok is not None and label != ok else (label + 1) % (actual.max() + 1)
            row[rng.choice(right, n_wrong, replace=False)] = wrong
    return worse


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
        for seeds, drop in product((2, 3, 5, 10), (0, 0.03)):
            failed, same = (100 * share for share in divided(runs, seeds, drop))
            print(
                f"{seeds} seeds, {100 * drop:g} points worse: {failed:.1f} % fail, {same:.1f} same"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
