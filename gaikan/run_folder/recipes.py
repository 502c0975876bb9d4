"""What a network of a run was trained by, to train it again."""

from pathlib import Path

from gaikan.config.checked import validated
from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.errors import ConfigError
from gaikan.run_folder.manifest import MANIFEST, Manifest, NetworkEntry
from gaikan.system.machine import Hardware
from gaikan.training.train import Recipe


def recipe_of(entry: NetworkEntry, run: Path) -> Recipe:
    """As it stands in the manifest of `run`. Raises ConfigError where others trained the network.

    So does a recipe that is none.
    """
    recipe, where = entry.recipe, str(run / MANIFEST)
    if recipe.options is None or recipe.train is None or recipe.augment is None:
        raise ConfigError(
            f"{run}: {entry.network} was not trained here, and cannot be trained again"
        )
    return Recipe(
        recipe.arch,
        recipe.style,
        dict(recipe.options),
        validated(TrainConfig, recipe.train, where, "train"),
        validated(AugmentConfig, recipe.augment, where, "augment"),
        entry.seed,
    )


def device_of(manifest: Manifest) -> str:
    """The device that trained the run, where this machine has it too; else the processor."""
    return "cuda" if manifest.device == "cuda" and Hardware.here().cuda else "cpu"
