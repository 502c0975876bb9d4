"""The differences of a run from its baseline, paired as closely as what both have in common allows.

Paired by part and seed where the same seeds judged the same parts; by part alone where the seeds
are others; not at all where the parts are others or the baseline kept no decisions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gaikan.check.baseline import Baseline, Scored, scored
from gaikan.check.measures import MEASURES, Measure, measured
from gaikan.check.noise import other_seeds, same_seeds, unpaired
from gaikan.check.run_answers import CheckedRun
from gaikan.data.frames import Names
from gaikan.evaluation.statistics import Estimate, Floats

BY_SEED, BY_PART, UNPAIRED = "paired by part and seed", "paired by part", "not paired"

Lots = Callable[[], Names | None]  # the lot of each test part (N,); asked only where it counts


@dataclass(frozen=True)
class Difference:
    """One figure of V variants; NaN where there is no estimate."""

    variants: list[str]
    measure: Measure
    before: Floats  # (V,) means of the baseline, of the seeds that are compared
    found: Estimate  # now less before
    alone: bool = False  # whether a side has a single seed: nothing shows how training varies


@dataclass(frozen=True)
class Pairing:
    """Which seeds of a variant are compared with which."""

    how: str
    now: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, now: tuple[int, ...], before: tuple[int, ...], same_parts: bool) -> "Pairing":
        """Of one variant's seeds in the run and in the baseline."""
        common = tuple(sorted({*now} & {*before}))
        if same_parts and len(common) > 1 and common in (now, before):  # all that one of them has
            return cls(BY_SEED, common, common)
        return cls(BY_PART if same_parts else UNPAIRED, now, before)


def pairings(tested: CheckedRun, baseline: Baseline) -> dict[str, Pairing]:
    """How each variant that both have is compared."""
    test = baseline.data["test"]
    same = tested.manifest.data.test.fingerprint == test.fingerprint
    same = same and test.images == len(tested.actual)
    kept = same and baseline.decisions is not None
    return {
        variant: Pairing.of(tested.answers[variant].seeds, tuple(held.seeds), kept)
        for variant, held in baseline.variants.items()
        if variant in tested.answers
    }


def differences(
    tested: CheckedRun, baseline: Baseline, pairs: dict[str, Pairing], lots: Lots
) -> Iterator[Difference]:
    """Every figure of every variant; those that are paired alike come together."""
    alike: dict[Pairing, list[str]] = {}
    for variant, pairing in pairs.items():
        alike.setdefault(pairing, []).append(variant)
    for pairing, variants in alike.items():
        if pairing.how == UNPAIRED:
            yield from _unpaired(variants, scored(tested, lots()), baseline)
        else:
            yield from _paired(variants, pairing, tested, baseline)


def _paired(
    variants: list[str], pairing: Pairing, tested: CheckedRun, baseline: Baseline
) -> Iterator[Difference]:
    actual, ok = tested.actual, tested.ok
    now = np.stack([tested.answers[variant].at(pairing.now) for variant in variants])
    held = np.stack([baseline.predicted(variant, pairing.before, actual) for variant in variants])
    estimate = same_seeds if pairing.how == BY_SEED else other_seeds
    for measure in measured(actual, ok):
        values, before = measure.of(now, actual, ok), measure.of(held, actual, ok)
        found = estimate(values, before)
        yield Difference(variants, measure, before.mean((1, 2)), found, len(pairing.now) < 2)


def _unpaired(
    variants: list[str], now: dict[str, Scored], baseline: Baseline
) -> Iterator[Difference]:
    for measure in MEASURES:
        for variant in variants:
            before = baseline.variants[variant].figures.get(measure.name)
            figure = now[variant].figures.get(measure.name)
            if before is not None and figure is not None:
                found = unpaired(figure.estimate, before.estimate)
                if len(now[variant].seeds) < 2:  # nothing shows how training varies
                    found = replace(found, error=found.error + np.nan)
                yield Difference([variant], measure, before.estimate.mean, found)
