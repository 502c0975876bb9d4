"""The grid: which cells there are, and running those that the store does not hold yet."""

from contextlib import closing
from pathlib import Path

import torch

from gaikan.anchors import ANCHORS
from gaikan.config.model import Config, TrainConfig, validated
from gaikan.data.brightness import MUCH, between_images
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import ConfigError
from gaikan.grid.jobs import Job, Runner, Watcher
from gaikan.grid.pool import Pool
from gaikan.grid.store_keys import Keys
from gaikan.networks import NETWORKS, Network
from gaikan.styles import STYLES
from gaikan.system.code import ROOT, Component, code_version
from gaikan.system.machine import Hardware
from gaikan.system.store import Store, key_of
from gaikan.training.cell import CHOOSING, Cell, Finished, recipe_description
from gaikan.training.train import Recipe
from gaikan.training.weights import Imported
from gaikan.variants import check_names


def chosen(kind: str, asked: tuple[str, ...] | None, registry: dict[str, object]) -> list[str]:
    """The names of one axis, in the registry's order. Raises ConfigError on an unknown one."""
    for name in asked or ():
        if name not in registry:
            raise ConfigError(f"key 'grid.{kind}': no {kind} {name!r}; there are {_list(registry)}")
    if asked is not None and not asked:
        raise ConfigError(f"key 'grid.{kind}': empty; leave it out for all of {_list(registry)}")
    return [name for name in registry if asked is None or name in asked]


def _list(registry: dict[str, object]) -> str:
    return ", ".join(registry)


def axes(config: Config) -> tuple[list[str], list[str], list[str]]:
    """Architectures, styles and anchor methods of the run, checked, as are the style tables."""
    check_names(NETWORKS, STYLES, ANCHORS)
    for name, options in config.style.items():
        if name not in STYLES:
            raise ConfigError(
                f"key 'style.{name}': no style {name!r}; there are {_list({**STYLES})}"
            )
        validated(STYLES[name].options_type, options, "configuration", at=f"style.{name}")
    return (
        chosen("arch", config.grid.arch, {**NETWORKS}),
        chosen("style", config.grid.style, {**STYLES}),
        chosen("anchor", config.grid.anchor, {**ANCHORS}),
    )


def resolve_device(device: str, hardware: Hardware | None = None) -> str:
    """`auto` becomes cuda where the cells run has it; no `hardware` means they run here.

    Raises ConfigError where cuda is asked in vain.
    """
    hardware = hardware or Hardware.here()
    if device == "cuda" and not hardware.cuda:
        raise ConfigError(f"--device cuda: no CUDA device {hardware.where}; use --device cpu")
    return ("cuda" if hardware.cuda else "cpu") if device == "auto" else device


def resolve_precision(precision: str, device: str, hardware: Hardware | None = None) -> str:
    """`auto` becomes bf16 where the device multiplies it in hardware, fp32 elsewhere."""
    if precision != "auto":
        return precision
    hardware = hardware or Hardware.here()
    return "bf16" if hardware.bf16[device] else "fp32"


def resolve_normalise(normalise: str, source: Frames) -> str:
    """`auto` becomes image where brightness varies much from image to image of a class."""
    if normalise != "auto":
        return normalise
    return "image" if between_images(source.images, source.labels) > MUCH else "source"


def cells(
    config: Config,
    device: str,
    parts: dict[int, Parts],
    source: Frames,
    hardware: Hardware | None = None,
) -> list[Cell]:
    """One cell a network and seed of the `source`, the slow ones first: the last to end is short.

    Raises ConfigError where a style's options do not fit the classes.
    """
    archs, styles, anchors = axes(config)
    for style in styles:
        options = STYLES[style].options_type(**_options(config, style))
        STYLES[style](options, source.classes, NETWORKS[archs[0]].embedding_size)
    resolved = {
        "precision": resolve_precision(config.train.precision, device, hardware),
        "normalise": resolve_normalise(config.train.normalise, source),
    }
    shared = config.train.model_copy(update=resolved)
    train = {arch: _scaled(shared, NETWORKS[arch]) for arch in archs}
    return [
        Cell(
            Recipe(arch, style, _options(config, style), train[arch], config.augment, seed),
            parts[seed].fit,
            parts[seed].validation,
            tuple(anchors),
            device,
        )
        for arch in reversed(archs)
        for seed in config.all_seeds
        for style in styles
    ]


def _scaled(train: TrainConfig, network: type[Network]) -> TrainConfig:
    return train.model_copy(
        update={
            "epochs": round(train.epochs * network.epochs_factor),
            "batch_size": train.batch_size * network.batch_factor,
        }
    )


def _options(config: Config, style: str) -> dict[str, object]:
    return STYLES[style].options_type(**config.style.get(style, {})).model_dump()


def keys(cell: Cell, train: Frames, test: Frames, root: Path = ROOT) -> Keys:
    """What determines the network, and what its embeddings and anchors besides.

    `root` is the folder with the package whose code counts.
    """
    trained = cell.trained_key if isinstance(cell, Imported) else _trained_key(cell, train, root)
    embedded = key_of(
        {
            "network": trained,
            "test": test.fingerprint,
            "anchors": cell.anchors,
            "code": code_version(*runs(cell.recipe, *cell.anchors), root=root),
        }
    )
    return Keys(trained, embedded)


def runs(recipe: Recipe, *anchors: str) -> tuple[str | Component, ...]:
    """What leads to the code that a cell of this recipe and these anchor methods runs."""
    methods: list[Component] = [ANCHORS[anchor] for anchor in anchors]
    return "gaikan.training.cell", NETWORKS[recipe.arch], STYLES[recipe.style], *methods


def _trained_key(cell: Cell, train: Frames, root: Path) -> str:
    recipe = cell.recipe
    return key_of(
        {
            "data": train.fingerprint,
            "split": [cell.fit_rows.tolist(), cell.validation_rows.tolist()],
            "recipe": recipe_description(recipe),
            "code": code_version(*runs(recipe, CHOOSING), root=root),
            "torch": torch.__version__,
            "device": cell.device,
        }
    )


def run_cells(
    todo: list[Cell],
    train: Frames,
    test: Frames,
    store: Store,
    watcher: Watcher,
    runner: Runner | None = None,
) -> list[Finished]:
    """Every cell's result, from the store or run now; what is run now is stored as it ends.

    Without a `runner` the cells run on this machine.
    """
    runner = runner or Pool(store.folder / "work")
    all_keys = [keys(cell, train, test) for cell in todo]
    known = [(store.load(k.trained), store.load(k.embedded)) for k in all_keys]
    finished = {
        i: Finished(trained, embedded)
        for i, (trained, embedded) in enumerate(known)
        if trained and embedded
    }
    remaining = [i for i in range(len(todo)) if i not in finished]
    watcher.begin([todo[i] for i in remaining], [todo[i] for i in finished])
    jobs = {i: Job(todo[i], known[i][0]) for i in remaining}
    if jobs:
        # Closed: where a result cannot be stored, the cells at work end now, not once trained.
        with closing(runner.run(jobs, train, test, watcher)) as results:
            for i, result in results:
                if result.trained and result.embedded:
                    store.save(all_keys[i].trained, result.trained)
                    store.save(all_keys[i].embedded, result.embedded)
                finished[i] = result
                watcher.end(todo[i], result)
    return [finished[i] for i in range(len(todo))]
