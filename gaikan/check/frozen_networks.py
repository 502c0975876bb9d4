"""Networks and images that are kept with a baseline, whose distances must not change.

Trained figures show a mistake only where it exceeds the noise of training. These networks are
never trained again: raw images go the whole way of `training.cell` from normalisation to the
distances of each anchor, on any processor, and what is not rounding is a mistake in inference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gaikan.check.run_answers import CheckedRun
from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.data.frames import Frames, Labels
from gaikan.errors import ConfigError, GaikanError, first_line
from gaikan.export.source import reread
from gaikan.run_folder.manifest import NetworkEntry
from gaikan.system.store import Store, Tensors, pack, unpack
from gaikan.training.cell import Arrays, Cell, work
from gaikan.training.nearest_anchor import Floats, decide
from gaikan.training.stored_network import StoredEmbeddings, StoredNetwork
from gaikan.training.train import Recipe
from gaikan.variants import FROZEN, network_name

MOST_BYTES = 1_800_000  # of all of it, which is committed
TOLERANCE = 1e-4  # of the mean distance; other processors round by 5e-7 of it, bfloat16 by 4e-3
IMAGES = 40  # of the training source, and as many of the test source
_MOST_IMAGE_BYTES = 300_000  # of each source
_IMAGES = ("train", "labels", "test")  # the arrays of `Arrays`
_LARGE = 1000  # numbers: a larger array of a network is kept in float16


@dataclass(frozen=True)
class FrozenNetwork:
    """A network as the store holds it, and the distances (N, K) by each of its decisions."""

    trained: bytes
    distances: dict[str, Floats]

    @property
    def name(self) -> str:
        """Architecture and style."""
        stored = StoredNetwork.unpack(self.trained)
        return network_name(stored.arch, stored.style)


@dataclass(frozen=True)
class FrozenNetworks:
    """One network of each architecture, and the raw images that it is asked about."""

    images: Arrays  # anchors are of the train images; distances are of the N test images
    anchors: tuple[str, ...]
    networks: tuple[FrozenNetwork, ...]

    def pack(self) -> bytes:
        """As one safetensors file."""
        tensors: Tensors = {name: getattr(self.images, name) for name in _IMAGES}
        for i, network in enumerate(self.networks):
            tensors[f"{i}.trained"] = np.frombuffer(network.trained, np.uint8)
            for decision, distances in network.distances.items():
                tensors[f"{i}.distances.{decision}"] = distances
        names = {"classes": self.images.classes, "anchors": self.anchors}
        return pack(tensors, names | {"networks": len(self.networks)})

    @classmethod
    def unpack(cls, content: bytes, checksum: str) -> "FrozenNetworks":
        """From what `pack` gave; `checksum` is its sha256."""
        tensors, names = unpack(content)
        train, labels, test = (tensors[name] for name in _IMAGES)
        networks = []
        for i in range(names["networks"]):
            start = f"{i}.distances."
            names_of = sorted(name for name in tensors if name.startswith(start))
            own = {name.removeprefix(start): tensors[name] for name in names_of}
            networks.append(FrozenNetwork(tensors[f"{i}.trained"].tobytes(), own))
        images = Arrays(train, labels, tuple(names["classes"]), test, checksum)
        return cls(images, tuple(names["anchors"]), tuple(networks))


def freeze(tested: CheckedRun) -> FrozenNetworks | None:
    """The first network of each architecture of a run; None where not one fits `MOST_BYTES`.

    Raises ConfigError or DataError where the run's networks or images are no longer there.
    """
    manifest = tested.manifest
    experiment = reread(tested.folder, manifest)
    train, test = (_some(frames) for frames in (experiment.train, experiment.test))
    frozen = FrozenNetworks(Arrays.of(train, test), manifest.anchors, ())
    first: dict[str, NetworkEntry] = {}
    for entry in manifest.networks:
        if entry.recipe.style != FROZEN:  # that is others' code, and its file is large
            first.setdefault(entry.recipe.arch, entry)
    for entry in first.values():
        trained = _reduced(_load(tested, entry))
        own = FrozenNetwork(trained, distances(trained, frozen.images, frozen.anchors))
        more = replace(frozen, networks=(*frozen.networks, own))
        if len(more.pack()) <= MOST_BYTES:
            frozen = more
    return frozen if frozen.networks else None


def _some(frames: Frames) -> Frames:
    """The first images of each class."""
    present = np.unique(frames.labels)
    most = min(IMAGES, _MOST_IMAGE_BYTES // frames.images[0].nbytes)
    each = max(1, most // len(present))
    return frames.take(
        np.concatenate([np.flatnonzero(frames.labels == label)[:each] for label in present])
    )


def _load(tested: CheckedRun, entry: NetworkEntry) -> StoredNetwork:
    trained = Store(tested.folder / "store").load(entry.store.trained)
    if trained is None:
        raise ConfigError(
            f"{tested.folder}: the store lacks {entry.network} seed {entry.seed}, or it is "
            "damaged; run `gaikan bench` again"
        )
    return StoredNetwork.unpack(trained)


def _reduced(network: StoredNetwork) -> bytes:
    """With its large arrays in half the bytes."""
    kept, head = (
        {k: v.astype(np.float16) if v.size > _LARGE else v for k, v in tensors.items()}
        for tensors in (network.embedder_tensors, network.style_tensors)
    )
    return replace(network, embedder_tensors=kept, style_tensors=head).pack()


def distances(trained: bytes, images: Arrays, anchors: tuple[str, ...]) -> dict[str, Floats]:
    """Distances (N, K) of the test images by each decision, computed as a run does.

    Raises GaikanError where the network can no longer be computed.
    """
    stored = StoredNetwork.unpack(trained)
    # Of a network that is trained already, only the seed and names of a recipe are ever asked.
    recipe = Recipe(stored.arch, stored.style, {}, TrainConfig(), AugmentConfig(), stored.seed)
    rows: Labels = np.arange(len(images.labels))
    cell = Cell(recipe, rows, rows[:0], anchors, "cpu")
    finished = work(cell, images, trained, lambda *_: None)
    if finished.embedded is None:
        raise GaikanError(str(finished.failure))
    embedded = StoredEmbeddings.unpack(finished.embedded)
    return {name: embedded.distances(name, embedded.test) for name in embedded.names}


def changed(frozen: FrozenNetworks) -> Iterator[str]:
    """A sentence for each network and decision that computes other distances than it did."""
    for network in frozen.networks:
        try:
            found = distances(network.trained, frozen.images, frozen.anchors)
        except (GaikanError, KeyError) as error:  # KeyError: an architecture that is gone
            yield f"frozen {network.name} cannot be computed any more: {first_line(error)}"
            continue
        for decision, before in network.distances.items():
            moved = _moved(before, found.get(decision))
            if moved:
                yield f"frozen {network.name}, {decision}: {moved}; inference has changed"


def _moved(before: Floats, now: Floats | None) -> str | None:
    """How far distances (N, K) moved, and how many decisions changed; None within rounding.

    Where the nearest class was nearer than the next by more than two tolerances, no rounding of
    both distances gives another decision.
    """
    if now is None or now.shape != before.shape:
        return "its distances are gone"
    tolerance = TOLERANCE * before.mean()
    moved = np.abs(now - before).max()
    clear = decide(before).margin > 2 * tolerance
    other = (decide(now).predicted != before.argmin(1)) & clear
    if moved <= tolerance and not other.any():
        return None
    shares = f"{100 * moved / before.mean():.2g} % of their mean (at most {100 * TOLERANCE:g} %)"
    return f"distances moved by {shares}, {other.sum()} of {len(before)} decisions changed"
