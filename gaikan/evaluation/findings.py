"""Every table of a run, from what its networks and references decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.config.model import Config, FactoryConfig
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.leaks import Leaks
from gaikan.evaluation.original_protocol import optimism
from gaikan.evaluation.rates import JudgedParts, rates, recalls
from gaikan.evaluation.references import Reference
from gaikan.evaluation.results import EvaluatedNetwork, accuracy, judged, predictions, summary
from gaikan.evaluation.unseen import Unseen


@dataclass(frozen=True)
class Findings:
    """Every table of a run; `summary` is the one that people read, best first."""

    table: pd.DataFrame  # predictions
    scores: pd.DataFrame  # accuracy.csv
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    rates: pd.DataFrame | None  # with an ok class, best first
    classes: pd.DataFrame  # recall by class
    modes: pd.DataFrame | None  # recall by failure mode; None where modes are the classes
    leaks: Leaks
    leaked: pd.DataFrame  # accuracy without what leaked; empty where nothing did
    unseen: Unseen | None  # of defects left out of training; where the run is to tell
    factory: FactoryConfig
    ok: str | None


def evaluate(
    config: Config,
    experiment: Experiment,
    judges: Sequence[EvaluatedNetwork | Reference],
    answers: list[dict[str, NDArray[np.bool_]]],
    leaks: Leaks,
    unseen: Unseen | None = None,
) -> Findings:
    """The tables of networks and references; `answers` are those of the original protocol."""
    ok = experiment.ok
    table = predictions(judges, experiment)
    scores = accuracy(table, judges, ok)
    complete, incomplete = judged(table, experiment)
    best_first, comparisons = summary(scores, complete, incomplete, ok, config.factory)
    if config.protocol == "original":
        best_first = best_first.merge(optimism(answers, complete), on="variant", how="left")
    modes = complete.modes
    if modes is not None and (modes == complete.actual).all():
        modes = None  # the same as the classes
    return Findings(
        table=table,
        scores=scores,
        summary=best_first,
        comparisons=comparisons,
        rates=None if ok is None else _ranked_rates(complete, ok, config.factory, best_first),
        classes=recalls(complete, complete.actual, ok),
        modes=None if modes is None else recalls(complete, modes, ok),
        leaks=leaks,
        leaked=leak_accuracy(complete, leaks),
        unseen=unseen,
        factory=config.factory,
        ok=ok,
    )


def _ranked_rates(
    complete: JudgedParts, ok: str, factory: FactoryConfig, best_first: pd.DataFrame
) -> pd.DataFrame:
    """The rates by variant in the order of `best_first`."""
    rank = {variant: i for i, variant in enumerate(best_first["variant"])}
    table = rates(complete, ok, factory)
    return table.sort_values("variant", key=lambda names: names.map(rank), ignore_index=True)


def leak_accuracy(judged: JudgedParts, leaks: Leaks) -> pd.DataFrame:
    """Test accuracy with the leaked parts, without them, and on them alone.

    One row per variant and `kind` of part: how many `parts` are of it, and the `accuracy` on them,
    in 0..1, NaN where there are none; best variant first. Empty where no test part leaked.
    """
    leaked, shared = leaks.leaked, leaks.of_shared_group
    kinds = {"all_parts": np.ones_like(leaked)}
    if leaked.any():
        kinds |= {"without_copies": ~leaked, "copies_alone": leaked}
    if shared.any():
        kinds |= {"new_groups": ~shared, "shared_groups": shared}
    rows = []
    for i in np.argsort(-judged.correct.mean((1, 2)), kind="stable").tolist():
        for kind, marked in kinds.items():
            right = judged.correct[i][:, marked]
            accuracy = right.mean() if right.size else np.nan
            rows.append((judged.variants[i], kind, int(marked.sum()), accuracy))
    columns = ["variant", "kind", "parts", "accuracy"]
    return pd.DataFrame(rows if len(kinds) > 1 else [], columns=columns)
