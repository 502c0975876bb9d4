"""What `manifest.json` says of a run."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from gaikan.config.model import Config
from gaikan.data.frames import Frames
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.leaks import Leaks
from gaikan.evaluation.mean_squares import effective_units
from gaikan.evaluation.references import MOST
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.trained_grid import Grid
from gaikan.language.words import Words, say
from gaikan.run_folder import manifest
from gaikan.run_folder.timing_inputs import Inputs
from gaikan.system.machine import MachineFacts
from gaikan.system.store import Keys, Store
from gaikan.training.cell import Cell
from gaikan.training.weights import Weights


@dataclass(frozen=True)
class Making:
    """How a run was made: where, from what, and in what time."""

    machine: MachineFacts
    workers: int | None  # of Dask; None: trained on this machine
    weights: Weights | None  # None: trained here
    made_from: str  # hash of all that determines the run's files
    test_scored_by: tuple[str, ...]  # the same of each run here that scored the same test part
    seconds: manifest.RunSeconds


def describe_run(
    config: Config,
    experiment: Experiment,
    first: Cell,
    grid: Grid,
    leaks: Leaks,
    store: Store,
    making: Making,
) -> manifest.Manifest:
    """The manifest, still without its files; `first` stands for what all cells share."""
    weights = None
    if making.weights is not None:
        weights = manifest.ImportedWeights.model_validate(making.weights.describe())
    return manifest.Manifest(
        name=config.run_name,
        config=config,
        seeds=tuple(config.all_seeds),
        device=first.device,
        precision=first.recipe.train.precision,
        normalise=first.recipe.train.normalise,
        data=describe_sources(experiment),
        classes=experiment.train.classes,
        ok=experiment.ok,
        networks=tuple(map(_describe, grid.networks, grid.stored)),
        failed=tuple(grid.failed),
        leaks=count_leaks(leaks),
        skipped=_skipped(config, experiment),
        anchors=first.anchors,
        timing_inputs=_keep_inputs(experiment, store),
        damaged_store_entries=tuple(store.damaged),
        machine=making.machine,
        workers=making.workers,
        weights=weights,
        made_from=making.made_from,
        test_scored_by=making.test_scored_by,
        seconds=making.seconds,
        files={},
    )


def describe_sources(experiment: Experiment) -> manifest.SourceEntries:
    """Sources, sizes and fingerprints."""
    return manifest.SourceEntries(train=_source(experiment.train), test=_source(experiment.test))


def _source(frames: Frames) -> manifest.SourceEntry:
    sizes = None if frames.groups is None else np.unique(frames.groups, return_counts=True)[1]
    return manifest.SourceEntry(
        source=frames.source,
        images=len(frames),
        shape=frames.shape,
        dtype=str(frames.images.dtype),
        fingerprint=frames.fingerprint,
        groups=None if sizes is None else len(sizes),
        effective_groups=None if sizes is None else effective_units(sizes),
        notes=tuple(frames.notes),
    )


def count_leaks(leaks: Leaks) -> manifest.LeakCounts:
    """How much the audit found of each kind."""
    pairs = leaks.pairs
    kinds = zip(pairs["kind"], pairs["first_part"], pairs["second_part"], strict=True)
    return manifest.LeakCounts(
        test_parts_with_exact_copy_in_training=int(leaks.exact.sum()),
        test_parts_with_near_copy_in_training=int(leaks.near.sum()),
        test_parts_named_as_one_in_training=int(leaks.named.sum()),
        test_parts_searched_for_near_copies=leaks.searched,
        validation_images_with_copy_in_fit={str(s): n for s, n in leaks.validation.items()},
        pairs=dict(Counter(map(" ".join, kinds))),
        pairs_with_different_labels=int((pairs["first_label"] != pairs["second_label"]).sum()),
        groups_in_training_and_test=leaks.groups,
        test_parts_of_those_groups=int(leaks.of_shared_group.sum()),
        constant_images=manifest.ConstantImages(**leaks.constant),
        identical_images_with_different_labels=leaks.contradicting,
    )


def _skipped(config: Config, experiment: Experiment) -> tuple[manifest.Skipped, ...]:
    """What the run leaves out, and why; runtimes that are missing stand in `latency.csv`."""
    test = experiment.test
    one_group = test.groups is not None and len(np.unique(test.groups)) == 1
    reasons = {
        "references": no_references(config, experiment),
        "rates": say("why_rates_no_ok") if experiment.ok is None else None,
        "timing": None if config.timing.enabled else say("why_timing_off"),
        "intervals": say("why_one_group") if one_group else None,
    }
    return tuple(
        manifest.Skipped(what=say(f"what_{what}"), why=why)
        for what, why in reasons.items()
        if why is not None
    )


def no_references(config: Config, experiment: Experiment) -> Words | None:
    """Why there are no classical references; None where there are."""
    if config.references == "none":
        return say("why_references_none")
    n = len(experiment.train)
    return say("why_references_too_many", n=n, most=MOST) if n > MOST else None


def _keep_inputs(experiment: Experiment, store: Store) -> str:
    """The store key of what `gaikan time` needs besides the networks."""
    key = Inputs.key(experiment)
    if store.load(key) is None:
        store.save(key, Inputs.of(experiment).pack())
    return key


def _describe(network: EvaluatedNetwork, stored: Keys) -> manifest.NetworkEntry:
    trained = network.trained
    return manifest.NetworkEntry(
        network=network.cell.network,
        seed=network.cell.recipe.seed,
        store=stored,
        recipe=manifest.NetworkRecipe(**trained.recipe),
        best_epoch=trained.best_epoch,
        losses=tuple(trained.losses),
        validation_scores=trained.validation_scores,
        seconds=trained.seconds,
    )
