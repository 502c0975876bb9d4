"""Networks that others trained: an ONNX file as cells that embed, take anchors and fit a head."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gaikan.config.model import Config
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import ConfigError, one_line
from gaikan.language.words import Words, say
from gaikan.networks import Embedder, OnnxBackbone
from gaikan.system.machine import version
from gaikan.system.store import key_of
from gaikan.training.cell import GivenCell
from gaikan.training.stored_network import StoredNetwork, tensors_of
from gaikan.training.train import FitData, Recipe, channel_statistics
from gaikan.variants import FROZEN


@dataclass(frozen=True)
class BackboneFile:
    """A `[network.NAME]` table and the file that it names."""

    name: str
    path: Path
    content: bytes

    @classmethod
    def read(cls, name: str, path: Path) -> "BackboneFile":
        """Raises ConfigError where the file cannot be read."""
        try:
            return cls(name, path, path.read_bytes())
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = error.strerror if isinstance(error, OSError) else error
            where = f"key 'network.{name}.onnx': {one_line(str(path))}"
            raise ConfigError(f"{where}: cannot be read ({reason})") from None

    def network(self, train: Frames) -> OnnxBackbone:
        """For images such as those of `train`. Raises ConfigError where it does not take them."""
        model = torch.from_numpy(np.frombuffer(self.content, np.uint8).copy())
        try:
            return OnnxBackbone(train.shape, model)
        except ConfigError as error:
            raise ConfigError(f"key 'network.{self.name}.onnx': {self.path}: {error}") from None


def frozen_cells(
    file: BackboneFile,
    config: Config,
    device: str,
    anchors: tuple[str, ...],
    parts: dict[int, Parts],
    train: Frames,
    ok: str | None = None,
) -> tuple[list[GivenCell], dict[str, bytes], Words]:
    """A cell for each seed, their store entries by key, and what a report must say of them.

    Images are normalised by the fit part, unless the configuration says how: `auto` may choose
    local contrast, which no network that others trained has seen. Raises ConfigError where the
    file does not take images of `train`.
    """
    network = file.network(train)
    data = FitData.of(train.images, train.labels, train.classes, "cpu")
    how = "source" if config.train.normalise == "auto" else config.train.normalise
    settings = config.train.model_copy(update={"epochs": 1, "precision": "fp32", "normalise": how})
    cells, entries = [], {}
    for seed, part in parts.items():
        statistics = channel_statistics(data.images, torch.from_numpy(part.fit))
        recipe = Recipe(file.name, FROZEN, {}, settings, config.augment, seed)
        content = _stored(file, Embedder(network, *statistics, how), recipe, train).pack()
        key = key_of(
            {
                "frozen": hashlib.sha256(content).hexdigest(),
                "data": train.fingerprint,
                "split": [part.fit.tolist(), part.validation.tolist()],
                "onnxruntime": version("onnxruntime"),
            }
        )
        good = None if ok is None else train.classes.index(ok)
        of = (recipe, part.fit, part.validation, anchors, device)
        cell = GivenCell(*of, good=good, trained_key=key)
        cells.append(cell)
        entries[key] = content
    return cells, entries, _note(file, network, train)


def _stored(file: BackboneFile, embedder: Embedder, recipe: Recipe, train: Frames) -> StoredNetwork:
    described = {"arch": recipe.arch, "style": recipe.style, "seed": recipe.seed}
    digest = hashlib.sha256(file.content).hexdigest()
    return StoredNetwork(
        embedder_tensors=tensors_of(embedder),
        style_tensors={},
        recipe=described | {"train": {"normalise": embedder.how}},
        classes=train.classes,
        shape=train.shape,
        weights={"file": file.path.name, "sha256": digest},
    )


def _note(file: BackboneFile, network: OnnxBackbone, train: Frames) -> Words:
    note = say("backbone_from", name=file.name, file=one_line(file.path.name))
    if network.channels == train.shape[0]:
        return note
    return say("backbone_grey", told=note, n=network.channels)
