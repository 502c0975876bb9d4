"""Whether a refit network has lost anything on test against the network that was judged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.bundle.decision import classes_of
from gaikan.errors import BundleError
from gaikan.evaluation.bounds import lower_bound_over_groups
from gaikan.evaluation.comparisons import difference
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.experiment import Experiment
from gaikan.export.source import BundleChoice, ExportSource

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """A share of test parts under both networks: the same parts, border and classes."""

    figure: str  # accuracy, escape rate or overkill rate
    judged: float
    refit: float
    low: float  # 95 % interval of refit less judged, paired, by lots where test tells them;
    high: float  # NaN where test is of a single lot

    @property
    def difference(self) -> float:
        """Refit less judged."""
        return self.refit - self.judged

    @property
    def is_loss(self) -> bool:
        """Whether the refit is worse by more than the comparison's margin of error.

        A single lot gives no margin: there, whatever is worse is a loss.
        """
        worse, least = self.difference, self.low
        if self.figure == "accuracy":
            worse, least = -self.difference, -self.high
        return worse > 0 and not least <= 0

    def __str__(self) -> str:
        """In words, shares in %."""
        low, high = (f"{100 * bound:+.1f}" for bound in (self.low, self.high))
        shown = "one lot: no margin" if np.isnan(self.low) else f"95 %: {low} to {high}"
        return (
            f"{self.figure} {100 * self.judged:.1f} to {100 * self.refit:.1f} % "
            f"({100 * self.difference:+.1f}, {shown})"
        )


def changes(
    judged: ExportSource, refit: ExportSource, experiment: Experiment, threshold: float | None
) -> tuple[Change, ...]:
    """Accuracy on test and, with an ok class, escape and overkill rate, where test has such parts.

    Both networks decide with the same `threshold` on the ok margin.
    """
    test, ok = experiment.test, _ok(experiment)
    before, after = (_predicted(source, ok, threshold) for source in (judged, refit))

    def change(figure: str, old: NDArray[np.bool_], new: NDArray[np.bool_], among: Index) -> Change:
        lots = None if test.groups is None else test.groups[among]
        _, low, high = difference(new[None, among], old[None, among], lots)
        return Change(figure, float(old[among].mean()), float(new[among].mean()), low, high)

    def all_changes() -> Iterator[Change]:
        """Of accuracy, and with a good class of escapes and overkill where there are such parts."""
        right = (before == test.labels, after == test.labels)
        yield change("accuracy", *right, np.arange(len(test)))
        for figure, marks, among in (
            ("escape rate", escaped, np.flatnonzero(test.labels != ok)),
            ("overkill rate", overkilled, np.flatnonzero(test.labels == ok)),
        ):
            if ok is not None and len(among):
                old, new = (marks(test.labels, called, ok) for called in (before, after))
                yield change(figure, old, new, among)

    return tuple(all_changes())


def refuse_loss(
    found: tuple[Change, ...], refit: ExportSource, experiment: Experiment, choice: BundleChoice
) -> None:
    """Raises BundleError where the refit lost something, or test contradicts its ceiling."""
    ok, test = _ok(experiment), experiment.test
    lost = [change for change in found if change.is_loss]
    reason = ", ".join(f"worse {change.figure}" for change in lost)
    if not lost and choice.ceiling is not None and choice.unconfirmed is None:
        among = test.labels != ok
        escapes = escaped(test.labels, _predicted(refit, ok, choice.threshold), ok)[among]
        lots = None if test.groups is None else test.groups[among]
        if among.any() and lower_bound_over_groups(escapes, lots) > choice.ceiling:
            reason = f"escapes above the stage's ceiling of {100 * choice.ceiling:g} %"
    if reason:
        raise BundleError(
            f"test shows the refit with {reason}: {'; '.join(map(str, found))}; not written; "
            "without --refit the network that was judged is exported"
        )


def _ok(experiment: Experiment) -> int | None:
    return None if experiment.ok is None else experiment.train.classes.index(experiment.ok)


def _predicted(source: ExportSource, ok: int | None, threshold: float | None) -> Index:
    return classes_of(source.distances(source.embedded.test), ok, threshold)
