"""What is to be exported, found in a run folder."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gaikan.config.stages import CEILINGS
from gaikan.data.kept import KeptSources
from gaikan.errors import ConfigError, DataError
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.networks import Embedder
from gaikan.run_folder.manifest import Manifest, NetworkEntry, read_manifest
from gaikan.run_folder.picks_file import read_picks
from gaikan.run_folder.result_tables import read_table
from gaikan.run_folder.run_variants import read_variants
from gaikan.system.store import Store
from gaikan.training.nearest_anchor import Floats
from gaikan.training.stored_network import Embeddings, StoredEmbeddings, StoredNetwork
from gaikan.variants import REFERENCE, Variant


@dataclass(frozen=True)
class BundleChoice:
    """What to export; a `threshold` on the ok margin comes from a stage's pick."""

    variant: str
    seed: int | None = None  # None: best on validation
    runtime: str = "onnx"
    precision: str = "fp32"
    threshold: float | None = None
    ask_level: float | None = None  # of the novelty p-value, from a stage's pick too
    stage: str | None = None
    ceiling: float | None = None  # the stage's least limit on escapes
    unconfirmed: str | None = None  # how test contradicts the pick


def choose(
    run: Path,
    variant: str | None,
    stage: str | None,
    seed: int | None,
    runtime: str | None,
    precision: str | None,
    unconfirmed: bool = False,
) -> BundleChoice:
    """What the command line asks for: a variant, or a stage's pick with single things replaced."""
    if (variant is None) == (stage is None):
        raise ConfigError("say one of the two: --variant NAME, or --stage NAME for its pick")
    for name, given, known in (
        ("runtime", runtime, ("onnx", "openvino")),
        ("precision", precision, ("fp32", "int8")),
    ):
        if given is not None and given not in known:
            raise ConfigError(f"--{name} {given}: a bundle has {' or '.join(known)}")
    other = runtime is not None and precision is not None
    choice = BundleChoice(variant) if variant is not None else picked(run, str(stage), other)
    if choice.unconfirmed is not None and not unconfirmed:
        raise ConfigError(
            f"stage {stage!r}: {choice.unconfirmed}; --unconfirmed exports it all the same"
        )
    return replace(
        choice,
        seed=choice.seed if seed is None else seed,
        runtime=runtime or choice.runtime,
        precision=precision or choice.precision,
    )


def picked(run: Path, stage: str, other: bool) -> BundleChoice:
    """What `gaikan pick` chose for a stage, in the bundle that it names.

    Raises ConfigError where there is no such pick, and where no bundle holds it,
    unless some `other` bundle is asked for.
    """
    path = run / "picks.json"
    picks = read_picks(path)
    if picks is None:
        raise ConfigError(f"{path}: not there; run `gaikan pick {run}`, or say --variant")
    if stage not in picks.stages:
        raise ConfigError(f"{path}: no stage {stage!r}; its stages: {_list(sorted(picks.stages))}")
    pick = picks.stages[stage].pick
    if pick is None:
        raise ConfigError(f"{path}: nothing qualified for stage {stage!r}; say --variant")
    limits = picks.stages[stage].constraints
    ceilings = [limit.max for limit in limits if limit.name in CEILINGS and limit.max is not None]
    contradicted = picks.stages[stage].contradicted
    choice = BundleChoice(
        pick.variant,
        pick.seed,
        threshold=pick.threshold,
        ask_level=pick.ask_level,
        stage=stage,
        ceiling=min(ceilings, default=None),
        unconfirmed=None if contradicted is None else contradicted.en,
    )
    if pick.bundle is not None:
        return replace(choice, runtime=pick.bundle.runtime, precision=pick.bundle.precision)
    if not other:
        raise ConfigError(
            f"stage {stage!r} was picked in {pick.runtime} {pick.precision}, which no bundle "
            "holds; --runtime onnx --precision fp32 exports it in another, whose speed and "
            "decisions are not those that were picked"
        )
    return choice


@dataclass(frozen=True)
class ExportSource:
    """A trained variant as a run folder holds it."""

    manifest: Manifest
    network: NetworkEntry
    variant: Variant
    embedder: Embedder
    embedded: StoredEmbeddings

    def distances(self, embeddings: Embeddings) -> Floats:
        """Distances (N, K) of embeddings (N, D), by which the variant decides."""
        return self.embedded.distances(self.variant.anchor, embeddings)


def load_source(run: Path, choice: BundleChoice) -> ExportSource:
    """The network of `choice` from the store. Raises ConfigError naming what there is instead."""
    manifest = read_manifest(run)
    known = {name: v for name, v in read_variants(run).items() if v.arch != REFERENCE}
    if choice.variant not in known:
        raise ConfigError(f"{run}: no variant {choice.variant!r}; there are {_list(known)}")
    variant = known[choice.variant]
    name = variant.network
    entries = {entry.seed: entry for entry in manifest.networks if entry.network == name}
    seed = _best_seed(run, choice.variant) if choice.seed is None else choice.seed
    if seed not in entries:
        raise ConfigError(f"{run}: {name} has no seed {seed}; seeds: {_list(sorted(entries))}")
    entry = entries[seed]
    store = Store(run / "store")
    trained, embedded = store.load(entry.store.trained), store.load(entry.store.embedded)
    if trained is None or embedded is None:
        raise ConfigError(
            f"{run}: the store lacks {name} seed {seed}, or it is damaged; run `gaikan bench` again"
        )
    decisions = StoredEmbeddings.unpack(embedded)
    if variant.anchor not in decisions.names:
        raise ConfigError(
            f"{run}: the store has no {variant.anchor} of {name} seed {seed}, though accuracy.csv "
            f"names {choice.variant}; run `gaikan bench` again"
        )
    embedder = StoredNetwork.unpack(trained).fast_embedder()
    return ExportSource(manifest, entry, variant, embedder, decisions)


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _best_seed(run: Path, variant: str) -> int:
    """The seed of the highest validation accuracy; of equal ones the first."""
    scores = read_table(run, "accuracy")
    held = scores[(scores["variant"] == variant) & (scores["split"] == "validation")]
    best = int(held["accuracy"].to_numpy().argmax())
    return int(held["seed"].to_numpy()[best])


def reread(run: Path, manifest: Manifest) -> Experiment:
    """The run's images, read anew. Raises DataError where they are others than it trained on."""
    experiment = prepare(manifest.config, KeptSources(Store(run / "store")).read)
    read = (experiment.train, experiment.test)
    for (part, known), frames in zip(manifest.data.both, read, strict=True):
        if frames.fingerprint != known.fingerprint:
            raise DataError(
                f"{frames.source}: no longer the {part} images of {run}; bring them back, or run "
                "`gaikan bench` again"
            )
    return experiment
