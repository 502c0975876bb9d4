"""How the store holds a network: an entry of what training gave, one of what it makes of parts.

Read where no torch is, too: a page shows embeddings.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaikan.novelty.conformal import (
    calibration,
    own_p_values,
    p_values,
    p_values_across_lots,
)
from gaikan.novelty.familiarity import Familiarity
from gaikan.system.store import Tensors, pack, unpack
from gaikan.training.nearest_anchor import Floats, anchor_distances, head_distances
from gaikan.variants import FROZEN, HEAD

if TYPE_CHECKING:
    import torch

    from gaikan.networks import Embedder, ImageShape, Network

Embeddings = NDArray[np.float32]  # (N, D)


def tensors_of(module: "torch.nn.Module") -> Tensors:
    """A module's parameters and buffers by name, as arrays."""
    return {name: value.cpu().numpy() for name, value in module.state_dict().items()}


@dataclass(frozen=True)
class LinearHead:
    """The layer by which a vanilla network decides itself, or that is fitted to a frozen one."""

    weight: NDArray[np.float32]  # (K, D)
    bias: NDArray[np.float32]  # (K,)


@dataclass(frozen=True)
class StoredNetwork:
    """The entry of a training, or of a file: the network and how it came about."""

    embedder_tensors: Tensors
    style_tensors: Tensors
    recipe: dict[str, Any]  # as JSON; of a file's network its `arch`, `style` and `seed`
    classes: tuple[str, ...]
    shape: "ImageShape"  # of its images
    losses: list[float] = field(default_factory=list)  # mean of each epoch; of a file's, none
    validation_scores: dict[str, float] = field(default_factory=dict)  # by number of the epoch
    best_epoch: int = 0  # which is kept
    seconds: float = 0.0  # of training
    weights: dict[str, object] | None = None  # the file that it is from; None: trained here

    @property
    def arch(self) -> str:
        """Its key in `NETWORKS`; of a frozen one, its own name."""
        return str(self.recipe["arch"])

    @property
    def style(self) -> str:
        """Its key in `STYLES`, or `FROZEN`."""
        return str(self.recipe["style"])

    @property
    def seed(self) -> int:
        """Of its training."""
        return int(self.recipe["seed"])

    @property
    def head(self) -> LinearHead | None:
        """None of a style that has no decision of its own."""
        return _head(_below("head", self.style_tensors))

    def embedder(self) -> "Embedder":
        """The network with its normalisation, in eval mode, tensors in torch's default layout."""
        import torch

        from gaikan.networks import NETWORKS, Embedder, OnnxBackbone

        how = self.recipe.get("train", {}).get("normalise", "source")
        mean, std = torch.zeros(self.shape[0]), torch.ones(self.shape[0])
        state = {name: torch.from_numpy(value) for name, value in self.embedder_tensors.items()}
        if self.style == FROZEN:
            network: Network = OnnxBackbone(self.shape, state["network.model"])
        else:
            network = NETWORKS[self.arch](self.shape)
        embedder = Embedder(network, mean, std, how)
        embedder.load_state_dict(state)
        return embedder.eval()

    def fast_embedder(self, device: str = "cpu") -> "Embedder":
        """`embedder` as it was trained: a cnn is 2.2 times as fast with its tensors channels last.

        The figures of a run are by this one: in the other layout sums are rounded differently.
        """
        import torch

        embedder = self.embedder()
        # Module.to takes memory_format; its type stubs leave it out.
        embedder.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return embedder

    def pack(self) -> bytes:
        """As a store entry."""
        tensors = _prefixed("embedder", self.embedder_tensors)
        tensors |= _prefixed("style", self.style_tensors)
        described = vars(self).keys() - {"embedder_tensors", "style_tensors"}
        values = {key: getattr(self, key) for key in sorted(described)}
        return pack(tensors, {key: value for key, value in values.items() if value is not None})

    @classmethod
    def unpack(cls, content: bytes) -> "StoredNetwork":
        """From a store entry."""
        tensors, description = unpack(content)
        channels, height, width = description.pop("shape")
        return cls(
            embedder_tensors=_below("embedder", tensors),
            style_tensors=_below("style", tensors),
            classes=tuple(description.pop("classes")),
            shape=(channels, height, width),
            **description,
        )


@dataclass(frozen=True)
class StoredEmbeddings:
    """The entry of what a network makes of a run's parts: embeddings, and what judges them."""

    anchors: dict[str, NDArray[np.float32]]  # by method, (K, D)
    validation: Embeddings
    test: Embeddings
    head: LinearHead | None
    familiarity: Familiarity
    novelty: dict[str, NDArray[np.float32]]  # scores (N,) of the `validation` and the `test` part

    @property
    def names(self) -> list[str]:
        """Of its decisions: the anchor methods, and `HEAD` where the network has one."""
        return [*self.anchors, *([] if self.head is None else [HEAD])]

    def of(self, split: str) -> Embeddings:
        """The embeddings of the `validation` or the `test` part."""
        return {"validation": self.validation, "test": self.test}[split]

    def novelty_p(self, split: str, lots: ArrayLike | None) -> NDArray[np.float32]:
        """Novelty p-values (N,) of the parts of `split`; `lots` are those of the validation parts.

        Of a test part by all validation parts, of a validation part by those of other lots.
        """
        if split == "validation":
            return own_p_values(self.novelty["validation"], lots)
        return p_values(self.novelty["test"], calibration(self.novelty["validation"], lots))

    def novelty_p_behind(
        self, rows: NDArray[np.int64], lots: tuple[ArrayLike, ArrayLike] | None
    ) -> NDArray[np.float32]:
        """Those of `rows` (P,) of the test part, whose lots validation has, too.

        Each by the validation parts of other lots; `lots` are those of the rows (P,) and those of
        the validation parts.
        """
        scores, held_out = self.novelty["test"][rows], self.novelty["validation"]
        if lots is None:
            return p_values(scores, calibration(held_out))
        return p_values_across_lots(scores, lots[0], held_out, lots[1])

    def distances(self, decision: str, embeddings: Embeddings) -> Floats:
        """Distances (N, K) of embeddings (N, D) by one of `names`."""
        if decision != HEAD:
            return anchor_distances(embeddings, self.anchors[decision])
        assert self.head is not None
        return head_distances(embeddings, self.head.weight, self.head.bias)

    def tensors(self) -> Tensors:
        """All of it by the names in the store."""
        tensors = _prefixed("anchors", self.anchors)
        tensors |= {"validation": self.validation, "test": self.test}
        if self.head is not None:
            tensors |= {"head.weight": self.head.weight, "head.bias": self.head.bias}
        return (
            tensors
            | {
                "familiarity.mean": self.familiarity.mean,
                "familiarity.whitener": self.familiarity.whitener,
            }
            | _prefixed("novelty", self.novelty)
        )

    def pack(self) -> bytes:
        """As a store entry."""
        return pack(self.tensors(), {})

    @classmethod
    def unpack(cls, content: bytes) -> "StoredEmbeddings":
        """From a store entry."""
        tensors, _ = unpack(content)
        return cls(
            anchors=_below("anchors", tensors),
            validation=tensors["validation"],
            test=tensors["test"],
            head=_head(_below("head", tensors)),
            familiarity=Familiarity(**_below("familiarity", tensors)),
            novelty=_below("novelty", tensors),
        )


def _head(tensors: Tensors) -> LinearHead | None:
    return LinearHead(tensors["weight"], tensors["bias"]) if tensors else None


def _prefixed(part: str, tensors: Tensors) -> Tensors:
    return {f"{part}.{name}": array for name, array in tensors.items()}


def _below(part: str, tensors: Tensors) -> Tensors:
    return {
        name.removeprefix(f"{part}."): array
        for name, array in sorted(tensors.items())  # the file's order is no order
        if name.startswith(f"{part}.")
    }
