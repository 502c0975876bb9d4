"""The grid: which cells there are, and running those that the store does not hold yet."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import torch

from gaikan.anchors import ANCHORS
from gaikan.config.checked import validated
from gaikan.config.model import Config
from gaikan.config.stages import check_known
from gaikan.data.brightness import MUCH, between_images
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import ConfigError
from gaikan.grid.jobs import Job, Runner, Watcher
from gaikan.grid.pool import Pool
from gaikan.networks import NETWORKS
from gaikan.networks.shape import EMBEDDING_SIZE
from gaikan.styles import STYLES
from gaikan.system.code import ROOT, Component, code_version
from gaikan.system.machine import Hardware, version
from gaikan.system.store import Keys, Store, key_of
from gaikan.training.cell import CHOOSING, Cell, Finished, GivenCell, recipe_description
from gaikan.training.train import Recipe
from gaikan.variants import FROZEN, check_names


def _chosen(
    axis: str,
    asked: tuple[str, ...] | None,
    registry: Iterable[str],
    default: Iterable[str] | None = None,
) -> list[str]:
    """The names on one axis, in the registry's order; without `asked` the `default`, or all.

    Raises ConfigError on an unknown one.
    """
    known = list(registry)
    usual = known if default is None else list(default)
    for name in asked or ():
        check_known(name, known, axis, f"key 'grid.{axis}'")
    if asked is not None and not asked:
        raise ConfigError(f"key 'grid.{axis}': empty; leave it out for {', '.join(usual)}")
    return [name for name in known if name in (usual if asked is None else asked)]


def axes(config: Config) -> tuple[list[str], list[str], list[str]]:
    """The names of the run's architectures (frozen ones last), styles and anchor methods.

    Raises ConfigError where a name or a `[style.NAME]` table is wrong, or a style's package is
    missing.
    """
    for name in config.network:
        if name in NETWORKS:
            raise ConfigError(f"key 'network.{name}': an architecture is called so; rename it")
    check_names([*NETWORKS, *config.network], [*STYLES, FROZEN], ANCHORS)
    for name, options in config.style.items():
        check_known(name, STYLES, "style", f"key 'style.{name}'")
        validated(STYLES[name].options_type, options, "configuration", f"style.{name}")
    usual = [name for name, style in STYLES.items() if style.package is None]
    styles = _chosen("style", config.grid.style, STYLES, usual)
    for name in styles:
        STYLES[name].check_installed()
    return (
        _chosen("arch", config.grid.arch, [*NETWORKS, *config.network]),
        styles,
        _chosen("anchor", config.grid.anchor, ANCHORS),
    )


def resolve_device(device: str, hardware: Hardware | None = None) -> str:
    """`cpu` or `cuda`; `auto` becomes cuda where there is one.

    `hardware` is that of the workers; without it, the cells run on this machine. Raises
    ConfigError where cuda is asked for and there is none.
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
    """`auto` becomes `local` where the images of a class vary much in brightness."""
    if normalise != "auto":
        return normalise
    return "local" if between_images(source.images, source.labels) > MUCH else "source"


def cells(
    config: Config,
    device: str,
    parts: dict[int, Parts],
    source: Frames,
    hardware: Hardware | None = None,
    ok: str | None = None,
) -> list[Cell]:
    """A cell for each seed of each network that is trained here.

    All of the first seed come first: their validation says early what to expect. Within a seed
    the slow ones do, so that few cores wait at the end. `parts` are the parts of the `source`, by
    seed; `ok` is the good class, if one is known. Raises ConfigError where a style's options do
    not fit the classes.
    """
    named, styles, anchors = axes(config)
    archs = [name for name in named if name in NETWORKS]
    for style in styles:
        options = STYLES[style].options_type(**_options(config, style))
        STYLES[style](options, source.classes, EMBEDDING_SIZE)
    resolved = {
        "precision": resolve_precision(config.train.precision, device, hardware),
        "normalise": resolve_normalise(config.train.normalise, source),
    }
    train = {}
    for arch in archs:
        epochs = round(config.train.epochs * NETWORKS[arch].epochs_factor)
        size = config.train.batch_size * NETWORKS[arch].batch_factor
        rate = config.train.learning_rate * NETWORKS[arch].learning_rate_factor
        own = {"epochs": epochs, "batch_size": size, "learning_rate": rate}
        train[arch] = config.train.model_copy(update=resolved | own)
    return [
        Cell(
            Recipe(arch, style, _options(config, style), train[arch], config.augment, seed),
            parts[seed].fit,
            parts[seed].validation,
            tuple(anchors),
            device,
            good=None if ok is None else source.classes.index(ok),
        )
        for seed in config.all_seeds
        for arch in reversed(archs)
        for style in styles
    ]


def _options(config: Config, style: str) -> dict[str, object]:
    return STYLES[style].options_type(**config.style.get(style, {})).model_dump()


def keys(cell: Cell, train: Frames, test: Frames, root: Path = ROOT) -> Keys:
    """The store keys of a cell that is trained on `train` and tested on `test`.

    `root` is the folder with the package whose code counts.
    """
    trained = cell.trained_key if isinstance(cell, GivenCell) else _trained_key(cell, train, root)
    embedded = key_of(
        {
            "network": trained,
            "test": test.fingerprint,
            "anchors": cell.anchors,
            "good": cell.good,
            "code": code_version(*cell_code(cell.recipe, *cell.anchors), root=root),
        }
    )
    return Keys(trained, embedded)


def cell_code(recipe: Recipe, *anchors: str) -> tuple[str | Component, ...]:
    """The module, classes and functions that start all code that such a cell runs."""
    methods: list[Component] = [ANCHORS[anchor] for anchor in anchors]
    if recipe.style == FROZEN:
        return "gaikan.training.cell", *methods
    return "gaikan.training.cell", NETWORKS[recipe.arch], STYLES[recipe.style], *methods


def _trained_key(cell: Cell, train: Frames, root: Path) -> str:
    recipe = cell.recipe
    package = STYLES[recipe.style].package
    return key_of(
        {
            "data": train.fingerprint,
            "split": [cell.fit_rows.tolist(), cell.validation_rows.tolist()],
            "chosen": cell.fold is None,
            "recipe": recipe_description(recipe),
            "code": code_version(*cell_code(recipe, CHOOSING), root=root),
            "package": package and version(package),
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
    """Every cell's result, in the order of `todo`.

    Results that the store does not hold are made now, by the `runner`, or without one on this
    machine, and each is stored as soon as its cell has ended.
    """
    runner = runner or Pool(store.folder / "work")
    all_keys = [keys(cell, train, test) for cell in todo]
    stored = [(store.load(k.trained), store.load(k.embedded)) for k in all_keys]
    finished = {
        i: Finished(trained, embedded)
        for i, (trained, embedded) in enumerate(stored)
        if trained and embedded
    }
    remaining = [i for i in range(len(todo)) if i not in finished]
    watcher.begin([todo[i] for i in remaining], [todo[i] for i in finished])
    jobs = {i: Job(todo[i], stored[i][0]) for i in remaining}
    if jobs:
        # Closing it ends the cells at work at once where a result cannot be stored.
        with closing(runner.run(jobs, train, test, watcher)) as results:
            for i, result in results:
                if result.trained and result.embedded:
                    store.save(all_keys[i].trained, result.trained)
                    store.save(all_keys[i].embedded, result.embedded)
                finished[i] = result
                watcher.end(todo[i], result)
    return [finished[i] for i in range(len(todo))]
