"""Weights that were trained elsewhere: a state dict of the original script as a trained cell."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor, nn

from gaikan.data.frames import Frames
from gaikan.data.run_sources import Source
from gaikan.errors import ConfigError, DataError, one_line
from gaikan.language.words import Words, say
from gaikan.system.store import key_of
from gaikan.training.cell import Cell, GivenCell
from gaikan.training.stored_network import StoredNetwork, tensors_of
from gaikan.training.train import FitData, TrainedNetwork, build

_PREFIX = "embedding_net."  # of TripletNet and SiameseNet in the original script
_REMEDY = "save one with torch.save(network.state_dict(), FILE)"
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """What a file holds, and what it leaves open."""

    path: Path
    sha256: str
    network: State  # all of a bare network, head or not
    rest: State  # what a network with a prefix holds beside it
    classes: tuple[str, ...] | None = None  # in the order of a head's rows; None: the source's
    mean: float | None = None  # the normalisation it was trained with: (value - mean) / std;
    std: float | None = None  # None: by the statistics of the fit images

    @classmethod
    def read(
        cls, path: Path, classes: tuple[str, ...] | None, mean: float | None, std: float | None
    ) -> "Weights":
        """Raises DataError where `path` holds no state dict, ConfigError on half a normalisation.

        Nothing in the file is run: `torch.load(weights_only=True)`.
        """
        if (mean is None) != (std is None):
            raise ConfigError("--mean and --std: say both, or neither (statistics of fit images)")
        if mean is not None and std is not None and not (isfinite(mean) and 0 < std < torch.inf):
            raise ConfigError(f"--mean {mean:g} --std {std:g}: not a normalisation")
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        except Exception:  # a damaged file fails in whatever part of torch meets it
            raise DataError(
                f"{path}: not a file of tensors alone, or a damaged one; {_REMEDY}"
            ) from None
        if (kind := _other_kind(state)) is not None:
            raise DataError(f"{path}: not a state dict but {kind}; {_REMEDY}")
        names = [name for name in state if name.startswith(_PREFIX)]
        if not names:
            return cls(path, digest, state, {}, classes, mean, std)
        network = {name.removeprefix(_PREFIX): state[name] for name in names}
        rest = {name: value for name, value in state.items() if name not in names}
        return cls(path, digest, network, rest, classes, mean, std)

    @property
    def note(self) -> Words:
        """What a report must say of the figures."""
        how = say("normalised_by_fit")
        if self.mean is not None:
            how = say("normalised_by_file", mean=f"{self.mean:g}", deviation=f"{self.std:g}")
        return say("weights_from", file=self.path.name, how=how)

    @property
    def source(self) -> Source:
        """As one of those that the run is of."""
        return Source(name=one_line(str(self.path)), fingerprint=self.sha256)

    def describe(self) -> dict[str, object]:
        """As manifest and store keep it."""
        return {"file": self.path.name, "sha256": self.sha256, "mean": self.mean, "std": self.std}


@dataclass(frozen=True)
class Imported(GivenCell):
    """A cell whose network is a state dict of the original script."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.network}, imported"


def imported(cell: Cell, weights: Weights, train: Frames) -> tuple[Imported, bytes]:
    """`cell` with the file's network instead of a training, and its store entry.

    Raises DataError naming the layer where the network does not have what the file holds, and
    the classes where they are others than those of `train`.
    """
    data = FitData.of(train.images, train.labels, train.classes, "cpu")
    trained = build(cell.recipe, data.at(cell.fit_rows))
    _load(trained, cell, weights, train)
    recipe = cell.recipe
    stored = StoredNetwork(
        embedder_tensors=tensors_of(trained.embedder),
        style_tensors=tensors_of(trained.style),
        recipe={"arch": recipe.arch, "style": recipe.style, "seed": recipe.seed},
        classes=train.classes,
        shape=train.shape,
        weights=weights.describe(),
    )
    content = stored.pack()
    key = key_of(
        {
            "imported": hashlib.sha256(content).hexdigest(),
            "data": train.fingerprint,
            "split": [cell.fit_rows.tolist(), cell.validation_rows.tolist()],
        }
    )
    return Imported(**vars(cell), trained_key=key), content


def _load(trained: TrainedNetwork, cell: Cell, weights: Weights, train: Frames) -> None:
    """Puts the file's values into the network, its head and its normalisation."""
    network, head = trained.embedder.network, trained.style.head
    own, order = network.state_dict(), _order(weights, train)
    state = {name: value for name, value in weights.network.items() if name in own}
    rest = {n: v for n, v in weights.network.items() if n not in own} | {**weights.rest}
    described = f"the {cell.recipe.arch} for images of {' x '.join(map(str, train.shape))}"
    _check(state, own, weights.path, described)
    network.load_state_dict(state)
    if head is not None:
        found = _head(rest, weights.path, cell.recipe.style, head)
        head.load_state_dict({name: value[order] for name, value in found.items()})
    elif rest:
        name, value = next(iter(rest.items()))
        raise DataError(
            f"{weights.path}: layer {name!r}, {_size(value)}: {described} has none such"
        )
    if weights.mean is not None and weights.std is not None:
        trained.embedder.mean.fill_(weights.mean)
        trained.embedder.std.fill_(weights.std)


def _order(weights: Weights, train: Frames) -> list[int]:
    """Where in the file each class of `train` stands."""
    classes = weights.classes or train.classes
    if sorted(classes) != sorted(train.classes):
        raise ConfigError(
            f"--classes {','.join(classes)}: {train.source} has {','.join(train.classes)}; "
            "name each once, in the order of the labels that the network was trained on"
        )
    return [classes.index(name) for name in train.classes]


def _check(state: State, own: State, path: Path, network: str) -> None:
    """Raises DataError naming the first layer that does not fit, with both shapes."""
    for name, expected in own.items():
        if name not in state:
            raise DataError(f"{path}: no layer {name!r}; {network} has it, {_size(expected)}")
        if state[name].shape != expected.shape:
            raise DataError(
                f"{path}: layer {name!r} is {_size(state[name])}, "
                f"{network} has {_size(expected)} there"
            )
        _check_values(state[name], name, path)


def _check_values(value: Tensor, name: str, path: Path) -> None:
    if value.is_complex() or value.dtype == torch.bool:
        raise DataError(f"{path}: layer {name!r} holds {value.dtype}, not real numbers")
    if not torch.isfinite(value).all():
        raise DataError(f"{path}: layer {name!r} holds values that are not finite")


def _head(rest: State, path: Path, style: str, expected: nn.Linear) -> State:
    """The weight and bias of the one linear layer beside the network."""
    shapes = {name: value.shape for name, value in expected.state_dict().items()}
    needed = f"style {style!r} needs its softmax head, {_size(expected.weight)}, and no more"
    if not rest:
        raise DataError(
            f"{path}: no layer beside the network's own; {needed}; import a network without one "
            "as siamese or triplet, which decide by anchors alone"
        )
    head = {}
    for name, value in rest.items():
        part = name.rpartition(".")[2]
        if value.shape != shapes.get(part) or part in head:
            raise DataError(f"{path}: layer {name!r} is {_size(value)}; {needed}")
        _check_values(value, name, path)
        head[part] = value
    if len(head) != len(shapes):
        raise DataError(f"{path}: layer {next(iter(rest))!r} stands alone; {needed}")
    return head


def _size(value: Tensor) -> str:
    return " x ".join(map(str, value.shape)) or "a single number"


def _other_kind(content: object) -> str | None:
    """What a file's content is, in words, where it is no state dict; None where it is one."""
    if not isinstance(content, dict) or not content:
        return "nothing" if content in ({}, None) else type(content).__name__
    for name, value in content.items():
        if not isinstance(name, str):
            return f"a dict whose keys are not names: {str(name)[:40]}"
        if not isinstance(value, Tensor):
            return f"a dict with {type(value).__name__} under {name[:40]!r}"
        # A meta tensor has a shape and no values.
        if value.is_meta or value.is_quantized or value.layout is not torch.strided:
            return f"a dict with a sparse, quantised or meta tensor under {name[:40]!r}"
    return None
