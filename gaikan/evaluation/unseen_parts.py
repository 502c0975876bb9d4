"""Every part that tells of a left-out mode: good validation parts, and the mode's own, scored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.without_mode import Rows, WithoutMode

_TEXT = ("variant", "without", "split", "label", "predicted")


@dataclass(frozen=True)
class _Some:
    """P parts of one kind."""

    split: str  # that they are of in the run
    decided: str  # the part of the network's decisions that has them
    places: Rows  # (P,) where they are there
    frames: Frames
    rows: Rows  # (P,) where they are in the frames
    novelty_p: NDArray[np.float32]  # (P,)


def unseen_parts(
    network: EvaluatedNetwork, left_out: WithoutMode, train: Frames
) -> Iterator[pd.DataFrame]:
    """Rows of `unseen.parquet`, for each variant of a network that was trained without the mode.

    Good validation parts, the mode's validation parts and its test parts. `train` is the run's
    whole training source.
    """
    experiment = left_out.experiment
    assert experiment.ok is not None
    classes = experiment.train.classes
    ok = classes.index(experiment.ok)
    decisions = {split: dict(network.decisions(split, ok)) for split in ("validation", "test")}
    kinds = [*_kinds(network, left_out, train, ok)]
    for variant in network.variants:
        for some in kinds:
            decision = decisions[some.decided][variant]
            assert decision.ok_margin is not None
            yield pd.DataFrame(
                {
                    "variant": variant.name,
                    "seed": network.seed,
                    "without": left_out.mode,
                    "split": some.split,
                    "sample": some.frames.rows[some.rows],
                    "label": np.asarray(some.frames.classes)[some.frames.labels[some.rows]],
                    "predicted": np.asarray(classes)[decision.predicted[some.places]],
                    "ok_margin": decision.ok_margin[some.places].astype(np.float32),
                    "novelty_p": some.novelty_p,
                }
            )


def _kinds(
    network: EvaluatedNetwork, left_out: WithoutMode, train: Frames, ok: int
) -> Iterator[_Some]:
    known, test = left_out.experiment.train, left_out.experiment.test
    own = network.validation_rows
    good = np.flatnonzero(known.labels[own] == ok)
    p = network.novelty_p("validation", known.groups)
    yield _Some("validation", "validation", good, known, own[good], p[good])
    held, behind = left_out.held[network.seed], left_out.behind[network.seed]
    lots = None
    if train.groups is not None and known.groups is not None:
        lots = train.groups[held], known.groups[own]
    p = network.embedded.novelty_p_behind(behind, lots)
    yield _Some("validation", "test", behind, train, held, p)
    unseen = np.flatnonzero(left_out.unseen)
    p = network.novelty_p("test", known.groups)
    yield _Some("test", "test", unseen, test, unseen, p[unseen])


def parts_table(frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """`unseen.parquet`, texts as categories; None where no mode was left out."""
    if not frames:
        return None
    return pd.concat(frames, ignore_index=True).astype(dict.fromkeys(_TEXT, "category"))
