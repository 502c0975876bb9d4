"""Makes a bundle from a run folder: the network is rebuilt, exported and verified."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gaikan.bundle.bundle import Bundle, Kept
from gaikan.bundle.card import Card
from gaikan.bundle.graph import anchors_of, with_anchors
from gaikan.data.frames import Frames, Labels
from gaikan.data.value_range import ValueRange
from gaikan.errors import ConfigError
from gaikan.evaluation.experiment import Experiment
from gaikan.export.inspector import Decide, Inspector, Threshold, distance_of, to_onnx
from gaikan.export.metrics import metrics
from gaikan.export.novelty_score import Novelty, NoveltyScore, recalibrate
from gaikan.export.parity import Parity, compare, judge
from gaikan.export.quantized import quantized
from gaikan.export.refit import Refit, refit
from gaikan.export.source import BundleChoice, ExportSource, load_source, reread
from gaikan.grid.jobs import Watcher
from gaikan.run_folder.timing_inputs import Inputs
from gaikan.system import machine
from gaikan.variants import HEAD

if TYPE_CHECKING:
    from onnx import ModelProto

_MOST_COMPARED = 20_000  # images of each part
_MOST_KEPT = 5000  # validation parts; more would tell no more about a new anchor


@dataclass(frozen=True)
class Exported:
    """A bundle, how it compared with its network, and what that is where it is a refit."""

    bundle: Bundle
    parities: list[Parity]
    refit: Refit | None


def export(
    run: Path,
    choice: BundleChoice,
    allow_drop: bool,
    tell: Callable[[str], None],
    watcher: Watcher | None = None,
) -> Exported:
    """The bundle of the network that was judged, or with a `watcher` of its refit.

    `tell` is called with each step in words, `watcher` sees the refit's training. Raises
    BundleError where the bundle differs from its network, or the refit has lost something.
    """
    if watcher is not None and choice.ask_level is not None:
        raise ConfigError(
            f"--refit: stage {choice.stage!r} asks about parts that look new, and how new a part "
            "looks can only be told by parts that the network has not learned from"
        )
    tell("reading the images")
    judged = load_source(run, choice)
    experiment = reread(run, judged.manifest)
    again = None
    if watcher is not None:
        again = refit(run, judged, experiment, choice, watcher)
    source = judged if again is None else again.source
    parts = experiment.parts[source.network.seed]
    fit = _sample(experiment.train, parts.fit, _MOST_COMPARED)
    tell("exporting the graph")
    held_out = experiment.train.groups
    lots = None if again is not None or held_out is None else held_out[parts.validation]
    novelty = Novelty.of(source.embedded, lots)
    model = _model(source, choice, novelty, experiment, fit)
    card = _card(source, choice, experiment, held_out=len(novelty.calibrated))
    if choice.precision == "int8":
        tell("calibrating int8 on fit images")
        model = quantized(model, Inputs.of(experiment).calibration[source.network.seed])
        del model.graph.value_info[:]  # shapes that name the number of anchors
        if card.held_out:
            held = _sample(experiment.train, parts.validation, _MOST_COMPARED)
            embed = Bundle(card, model.SerializeToString(), None).embedder()
            novelty = novelty.calibrated_on(embed(held.images), held.groups)
            recalibrate(model, novelty)
    figures = metrics(judged, experiment, choice.threshold, choice.ask_level)
    card = replace(card, metrics=figures, refit=None if again is None else again.describe())
    bundle = Bundle(card, model.SerializeToString(), None)
    bundle.check()
    bundle, parities = _verified(bundle, source, novelty, experiment, allow_drop, tell)
    return Exported(bundle, parities, again)


def _verified(
    bundle: Bundle,
    source: ExportSource,
    novelty: Novelty,
    experiment: Experiment,
    allow_drop: bool,
    tell: Callable[[str], None],
) -> tuple[Bundle, list[Parity]]:
    """The whole bundle, and how it compared. Raises BundleError where it is not its network."""
    train, parts, parities = experiment.train, experiment.parts[source.network.seed], []
    for part, rows in (("fit", parts.fit), ("validation", parts.validation)):
        frames = _sample(train, rows, _MOST_COMPARED)
        tell(f"comparing with the network on {len(frames)} of {len(rows)} {part} images")
        parities.append(compare(part, bundle, source, novelty, frames))
    judge(bundle.card.precision, parities, allow_drop)
    card = replace(bundle.card, parity={parity.part: asdict(parity) for parity in parities})
    if source.variant.anchor == HEAD:
        return Bundle(card, bundle.model, None), parities
    tell("keeping validation embeddings")
    _check_anchors_can_be_added(bundle)
    return Bundle(card, bundle.model, _keep(bundle, frames)), parities


def _threshold(choice: BundleChoice, experiment: Experiment) -> Threshold | None:
    if choice.threshold is None:
        return None
    if experiment.ok is None:
        raise ConfigError(f"{choice.variant}: a threshold needs a class that means good (--ok)")
    return Threshold(experiment.train.classes.index(experiment.ok), choice.threshold)


def _model(
    source: ExportSource,
    choice: BundleChoice,
    novelty: Novelty,
    experiment: Experiment,
    fit: Frames,
) -> "ModelProto":
    distance = distance_of(source.embedded, source.variant.anchor)
    decide = Decide(distance, _threshold(choice, experiment))
    dtype = torch.from_numpy(fit.images[:0]).dtype
    ok = None if experiment.ok is None else experiment.train.classes.index(experiment.ok)
    inspector = Inspector(source.embedder, decide, NoveltyScore(novelty), ok, choice.ask_level)
    return to_onnx(inspector, fit.shape, dtype)


def _keep(bundle: Bundle, validation: Frames) -> Kept:
    """Embeddings of validation images by the bundle itself."""
    sample = _sample(validation, np.arange(len(validation)), _MOST_KEPT)
    return Kept(bundle.embedder()(sample.images), sample.labels.astype(np.uint16))


def _sample(frames: Frames, rows: Labels, most: int) -> Frames:
    """The images at `rows`, at most `most`: always the same ones, and of each class its share."""
    order = rows[np.argsort(frames.labels[rows], kind="stable")]
    n = min(len(order), most)
    return frames.take(np.sort(order[np.linspace(0, len(order) - 1, n).round().astype(int)]))


def _check_anchors_can_be_added(bundle: Bundle) -> None:
    """Raises BundleError where the exporter has fixed the number of anchors in the graph."""
    anchors = anchors_of(bundle.model)
    more = np.concatenate([anchors, anchors[:1] + 1])
    card = replace(bundle.card, classes=(*bundle.card.classes, "\0"))
    Bundle(card, with_anchors(bundle.model, more), None).check()


def _card(
    source: ExportSource, choice: BundleChoice, experiment: Experiment, held_out: int
) -> Card:
    packages = ("gaikan", "torch", "onnx", "onnxruntime", "openvino")
    train = experiment.train
    values = ValueRange.of(train.images)
    return Card(
        **asdict(source.variant),
        seed=source.network.seed,
        stage=choice.stage,
        unconfirmed=choice.unconfirmed,
        runtime=choice.runtime,
        precision=choice.precision,
        shape=train.shape,
        dtype=str(train.images.dtype),
        depth=train.depth,
        values=(values.low, values.high),
        classes=train.classes,
        ok=experiment.ok,
        threshold=choice.threshold,
        ask_level=choice.ask_level,
        held_out=held_out,
        training={
            "source": train.source,
            "fingerprint": train.fingerprint,
            "network": source.network.store.trained,
        },
        metrics={},
        parity={},
        versions={name: machine.version(name) for name in packages} | {"commit": machine.commit()},
    )
