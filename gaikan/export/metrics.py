"""The figures of a network that its bundle's card states, with intervals."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from gaikan.bundle.decision import ASK, classes_of, verdicts_of
from gaikan.data.frames import Frames
from gaikan.evaluation.counts import escaped, overkilled
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.score import score
from gaikan.evaluation.statistics import intervals
from gaikan.export.source import ExportSource


def metrics(
    source: ExportSource,
    experiment: Experiment,
    threshold: float | None,
    ask_level: float | None,
) -> dict[str, dict[str, object]]:
    """Figures on validation and test, each share as value, low and high.

    Intervals are at 95 %, as in the accuracy table: over groups where parts have some, since
    parts of one lot succeed and fail together. A single group says nothing of others: then it is
    0 to 1. What is asked about at the `ask_level` does not escape. How much training varies is not
    in them: this one network is installed.
    """
    train, test = experiment.train, experiment.test
    rows = experiment.parts[source.network.seed].validation
    lots = None if train.groups is None else train.groups[rows]
    validation = train.take(rows)
    ok = None if experiment.ok is None else train.classes.index(experiment.ok)
    result: dict[str, dict[str, object]] = {}
    for part, frames in (("validation", validation), ("test", test)):
        predicted = classes_of(source.distances(source.embedded.of(part)), ok, threshold)
        names = np.asarray(train.classes, np.str_)[predicted]
        scores = asdict(score(frames.names, names, experiment.ok))
        shares = {"accuracy": (predicted == frames.labels, np.ones(len(frames), bool))}
        if ok is not None:
            good = frames.labels == ok
            p = source.embedded.novelty_p(part, lots)
            asked = verdicts_of(predicted, p, ok, ask_level) == ASK
            escapes = escaped(frames.labels, predicted, ok) & ~asked
            if ask_level is not None:
                shares["ask_rate"] = (asked, good)
                scores |= {"asked": int(asked.sum()), "good_asked": int((asked & good).sum())}
                scores["escapes"] = int(escapes.sum())
            shares["escape_rate"] = (escapes, ~good)
            shares["overkill_rate"] = (overkilled(frames.labels, predicted, ok), good)
        result[part] = scores | {
            name: _interval(hits, among, frames) for name, (hits, among) in shares.items()
        }
    return result


def _interval(
    hits: NDArray[np.bool_], among: NDArray[np.bool_], frames: Frames
) -> dict[str, float] | None:
    """Share of `among` that are `hits`, with its interval; None where `among` is empty."""
    if not among.any():
        return None
    groups = None if frames.groups is None else frames.groups[among]
    share = intervals(hits[None, None, among], groups)
    low, high = np.nan_to_num(share.low[0], nan=0), np.nan_to_num(share.high[0], nan=1)
    return {"value": float(share.mean[0]), "low": float(low), "high": float(high)}
