"""Which figures of a run are worse than the baseline's by more than noise explains."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import nctdtrinc, stdtrit

from gaikan.check.differences import Difference
from gaikan.evaluation.comparisons import holm
from gaikan.evaluation.mean_squares import Floats
from gaikan.evaluation.statistics import LEVEL, Estimate
from gaikan.evaluation.verdict_names import INCONCLUSIVE, RAISE, SAME, WORSE

POWER = 0.8  # of runs with a drop as large as `Line.detectable`, the share that is WORSE
TWO_SIDED = 2 * LEVEL - 1  # level of the interval that two tests of 5 % leave


@dataclass(frozen=True)
class Line:
    """One figure of one variant, a share in 0..1 or a ratio; NaN where not measured."""

    variant: str
    figure: str
    before: float
    now: float
    low: float  # of this difference alone: 90 % interval, 95 % of a ratio
    high: float
    verdict: str
    ratio: bool = False
    detectable: float = math.nan  # change for the worse that is found in `POWER` of runs

    @property
    def difference(self) -> float:
        """Now less before."""
        return self.now - self.before

    @property
    def fails(self) -> bool:
        """Whether it is worse by more than noise explains."""
        return self.verdict == WORSE


def judge(differences: Iterable[Difference], margin: float) -> list[Line]:
    """The verdict on each figure of each variant.

    A figure is WORSE, which fails, when it changed for the worse by more than `margin` (a share)
    and its one-sided Student's t is significant at 5 % after Holm's correction over all lines of
    the check together. So an unchanged recipe, trained with other seeds or rounded otherwise by
    another processor, fails anywhere in its table with a probability of at most 5 % (less, because
    lines err together, and because a significant change below the margin is not WORSE). The
    baseline can be raised when the same test of the other side, with its own 5 %, is significant
    and the gain exceeds the margin. Else the figure is the same where two one-sided tests of 5 %
    show that it changed by less than the margin (Schuirmann, 1987), which is where its 90 %
    interval lies within the margin, and inconclusive where they do not, or where a side has fewer
    than three seeds and so no interval. Where no decision changed, the interval has no width.
    """
    groups = list(differences)
    if not groups:
        return []
    columns = zip(*((d.change.mean, d.change.error, d.change.freedom) for d in groups), strict=True)
    change = Estimate(*map(np.concatenate, columns))
    few_seeds = np.concatenate([np.full(len(d.variants), d.few_seeds) for d in groups])
    change = replace(change, error=np.where(few_seeds, np.nan, change.error))
    names = [(variant, d.measure) for d in groups for variant in d.variants]
    loss = change.mean * np.array([float(measure.worse) for _, measure in names])
    before, half = np.concatenate([d.before for d in groups]), change.half_width(TWO_SIDED)
    verdicts = _verdicts(loss, half, _one_sided(loss, change), _one_sided(-loss, change), margin)
    detectable = _detectable(change, margin)
    return [
        Line(
            variant=variant,
            figure=measure.title,
            before=float(before[i]),
            now=float(before[i] + change.mean[i]),
            low=float(np.maximum(change.mean[i] - half[i], -1)),
            high=float(np.minimum(change.mean[i] + half[i], 1)),
            verdict=verdicts[i],
            detectable=float(detectable[i]),
        )
        for i, (variant, measure) in enumerate(names)
    ]


def _one_sided(rise: Floats, change: Estimate) -> Floats:
    """Holm's corrected p (M,) that noise alone gives such a `rise` (M,); NaN without an error."""
    p = change.p_values() / 2
    return holm(np.where(rise > 0, p, 1 - p))


def _verdicts(
    loss: Floats, half: Floats, p_worse: Floats, p_better: Floats, margin: float
) -> list[str]:
    """`loss` (M,) is the change for the worse, `half` half its interval's width or NaN."""
    verdicts = []
    for size, width, worse, better in zip(loss.tolist(), half, p_worse, p_better, strict=True):
        if worse < 1 - LEVEL and size > margin:
            verdicts.append(WORSE)
        elif better < 1 - LEVEL and -size > margin:
            verdicts.append(RAISE)
        else:
            verdicts.append(SAME if abs(size) + width <= margin else INCONCLUSIVE)
    return verdicts


def _detectable(change: Estimate, margin: float) -> Floats:
    """The true change for the worse (M,) that is WORSE in `POWER` of runs that scatter as this.

    It must be significant at the level that Holm's correction begins with (noncentral t), and
    exceed the margin. NaN without an error, and where no decision changed: of what a change of
    the code would scatter, such a run shows nothing.
    """
    error = np.where(change.error > 0, change.error, np.nan)
    critical = stdtrit(change.freedom, 1 - (1 - LEVEL) / len(error))
    significant = nctdtrinc(change.freedom, 1 - POWER, critical) * error
    beyond = margin + stdtrit(change.freedom, POWER) * error
    found: Floats = np.maximum(significant, beyond)
    return found
