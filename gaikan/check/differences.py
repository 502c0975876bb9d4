"""How far the figures of a run are from the baseline's, paired as closely as both allow.

Paired by part and seed where the same seeds judged the same parts; by part alone where the seeds
are others; not at all where the parts are others or the baseline kept no decisions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gaikan.check.baseline import Baseline, Scored, scored
from gaikan.check.measures import MEASURES, Measure, measured
from gaikan.check.noise import FEWEST_SEEDS, other_seeds, same_seeds, unpaired
from gaikan.check.run_answers import CheckedRun
from gaikan.data.frames import Names
from gaikan.evaluation.mean_squares import Floats
from gaikan.evaluation.statistics import Estimate

BY_SEED, BY_PART, UNPAIRED = "paired by part and seed", "paired by part", "not paired"

Lots = Callable[[], Names | None]  # the lot of each test part (N,); asked only where it counts


@dataclass(frozen=True)
class Difference:
    """How far one figure of V variants is from the baseline's; NaN where not estimated."""

    variants: list[str]
    measure: Measure
    before: Floats  # (V,) means of the baseline over the seeds that are compared
    change: Estimate  # now less before
    few_seeds: bool = False  # of either side: too few show how training varies


@dataclass(frozen=True)
class Pairing:
    """Which seeds of a variant are compared with which of the baseline's, and how."""

    how: str  # BY_SEED, BY_PART or UNPAIRED
    now: tuple[int, ...]
    before: tuple[int, ...]

    @property
    def few_seeds(self) -> bool:
        """Whether a side has too few for a verdict."""
        return min(len(self.now), len(self.before)) < FEWEST_SEEDS

    @classmethod
    def of(cls, now: tuple[int, ...], before: tuple[int, ...], same_parts: bool) -> "Pairing":
        """From the seeds that one variant has in the run and in the baseline."""
        common = tuple(sorted({*now} & {*before}))
        # Where each side has a seed that the other lacks, pairing by seed would drop both.
        if same_parts and len(common) > 1 and common in (now, before):
            return cls(BY_SEED, common, common)
        return cls(BY_PART if same_parts else UNPAIRED, now, before)


def pairings(tested: CheckedRun, baseline: Baseline) -> dict[str, Pairing]:
    """How each variant that both have is compared."""
    test = baseline.data["test"]
    same = tested.manifest.data.test.fingerprint == test.fingerprint
    same = same and test.images == len(tested.actual)
    comparable = same and baseline.decisions is not None
    return {
        variant: Pairing.of(tested.answers[variant].seeds, tuple(scores.seeds), comparable)
        for variant, scores in baseline.variants.items()
        if variant in tested.answers
    }


def differences(
    tested: CheckedRun, baseline: Baseline, pairs: dict[str, Pairing], lots: Lots
) -> Iterator[Difference]:
    """Every figure of every variant; variants that are paired alike are in one `Difference`."""
    alike: dict[Pairing, list[str]] = {}
    for variant, pairing in pairs.items():
        alike.setdefault(pairing, []).append(variant)
    for pairing, variants in alike.items():
        if pairing.how == UNPAIRED:
            yield from _unpaired(variants, pairing, scored(tested, lots()), baseline)
        else:
            yield from _paired(variants, pairing, tested, baseline)


def _paired(
    variants: list[str], pairing: Pairing, tested: CheckedRun, baseline: Baseline
) -> Iterator[Difference]:
    actual, ok = tested.actual, tested.ok
    now = np.stack([tested.answers[variant].at(pairing.now) for variant in variants])
    stored = np.stack([baseline.predicted(variant, pairing.before, actual) for variant in variants])
    difference = same_seeds if pairing.how == BY_SEED else other_seeds
    for measure in measured(actual, ok):
        values, before = measure.of(now, actual, ok), measure.of(stored, actual, ok)
        change = difference(values, before)
        yield Difference(variants, measure, before.mean((1, 2)), change, pairing.few_seeds)


def _unpaired(
    variants: list[str], pairing: Pairing, now: dict[str, Scored], baseline: Baseline
) -> Iterator[Difference]:
    for measure in MEASURES:
        for variant in variants:
            before = baseline.variants[variant].figures.get(measure.name)
            figure = now[variant].figures.get(measure.name)
            if before is not None and figure is not None:
                change = unpaired(figure.estimate, before.estimate)
                mean = before.estimate.mean
                yield Difference([variant], measure, mean, change, pairing.few_seeds)
