"""The figures of a network that its bundle's card states, with intervals."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

from gaikan.bundle.decision import classes_of
from gaikan.data.frames import Frames
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.score import score
from gaikan.export.source import ExportSource
from gaikan.seeds import stream

_LEVEL = 0.95


def metrics(
    source: ExportSource, experiment: Experiment, threshold: float | None
) -> dict[str, dict[str, object]]:
    """Figures on validation and test, each share as value, low and high.

    Intervals are at 95 %: Wilson's over parts; or, where parts have groups, a bootstrap over
    groups, since parts of one lot succeed and fail together. A bootstrap says nothing of a share
    of 0 or 1, or of a single group: then it is Wilson's too. How much training varies is not in
    them: this one network is installed.
    """
    train, test = experiment.train, experiment.test
    validation = train.take(experiment.parts[source.network.seed].validation)
    ok = None if experiment.ok is None else train.classes.index(experiment.ok)
    result: dict[str, dict[str, object]] = {}
    for part, frames in (("validation", validation), ("test", test)):
        predicted = classes_of(source.distances(source.embedded.of(part)), ok, threshold)
        names = np.asarray(train.classes, np.str_)[predicted]
        scores = asdict(score(frames.names, names, experiment.ok))
        shares = {"accuracy": (predicted == frames.labels, np.ones(len(frames), bool))}
        if ok is not None:
            good = frames.labels == ok
            shares["escape_rate"] = (escaped(frames.labels, predicted, ok), ~good)
            shares["overkill_rate"] = (overkilled(frames.labels, predicted, ok), good)
        result[part] = scores | {
            name: _interval(hits, among, frames) for name, (hits, among) in shares.items()
        }
    return result


def _interval(
    hits: NDArray[np.bool_], among: NDArray[np.bool_], frames: Frames
) -> dict[str, float] | None:
    """Share of `among` that are `hits`, with its interval; None where `among` is empty."""
    k, n = int(hits.sum()), int(among.sum())
    if n == 0:
        return None
    group = None if frames.groups is None else np.unique(frames.groups, return_inverse=True)[1]
    if group is None or k in (0, n) or len(np.unique(group[among])) < 2:
        low, high = binomtest(k, n).proportion_ci(_LEVEL, method="wilson")
    else:
        counted = np.bincount(group, among) > 0
        sums = np.bincount(group, hits)[counted], np.bincount(group, among)[counted]
        low, high = bootstrap(
            sums,
            lambda k, n, axis: k.sum(axis) / n.sum(axis),
            paired=True,
            confidence_level=_LEVEL,
            method="percentile",
            rng=stream(0, "metrics"),
        ).confidence_interval
    return {"value": k / n, "low": float(low), "high": float(high)}
