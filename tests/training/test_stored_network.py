"""What the store holds of a network."""

import numpy as np
import pytest
import torch
from torch import nn

from gaikan.networks import NETWORKS, Embedder
from gaikan.novelty.familiarity import Familiarity
from gaikan.system.store import pack, unpack
from gaikan.training.nearest_anchor import anchor_distances, head_distances
from gaikan.training.stored_network import (
    LinearHead,
    StoredEmbeddings,
    StoredNetwork,
    tensors_of,
)

SHAPE = (1, 12, 16)


def trained(normalise: str = "source") -> tuple[Embedder, StoredNetwork]:
    embedder = Embedder(
        NETWORKS["cnn"](SHAPE), torch.tensor([90.0]), torch.tensor([30.0]), normalise
    ).eval()
    style = nn.ModuleDict({"head": nn.Linear(128, 3)})
    stored = StoredNetwork(
        tensors_of(embedder),
        tensors_of(style),
        {"arch": "cnn", "style": "vanilla", "seed": 4, "train": {"normalise": normalise}},
        ("ok", "割れ", "spur"),
        SHAPE,
        [1.5, 0.5],
        {"9": 0.75, "10": 0.5},
        9,
        2.5,
    )
    return embedder, stored


def embeddings(head: LinearHead | None) -> StoredEmbeddings:
    rng = np.random.default_rng(0)
    anchors = {name: rng.random((3, 8), np.float32) for name in ("mean_embedding", "mean_image")}
    return StoredEmbeddings(
        anchors,
        rng.random((5, 8), np.float32),
        rng.random((7, 8), np.float32),
        head,
        Familiarity(rng.random(8, np.float32), rng.random((8, 8), np.float32)),
        {"validation": rng.random(5, np.float32), "test": rng.random(7, np.float32)},
    )


@pytest.mark.parametrize("normalise", ["source", "image", "local"])
@pytest.mark.parametrize("layout", ["embedder", "fast_embedder"])
def test_a_network_from_the_store_embeds_as_the_trained_one(normalise: str, layout: str) -> None:
    embedder, stored = trained(normalise)
    back: Embedder = getattr(StoredNetwork.unpack(stored.pack()), layout)()
    images = torch.randint(0, 256, (6, *SHAPE), dtype=torch.uint8)
    with torch.inference_mode():
        torch.testing.assert_close(back(images), embedder(images))
    assert not back.training


def test_all_that_training_left_comes_back() -> None:
    _, stored = trained()
    back = StoredNetwork.unpack(stored.pack())
    for name in ("recipe", "classes", "shape", "losses", "validation_scores", "best_epoch"):
        assert getattr(back, name) == getattr(stored, name)
    assert (back.arch, back.seed, back.seconds, back.weights) == ("cnn", 4, 2.5, None)
    assert back.head is not None
    np.testing.assert_array_equal(back.head.bias, stored.style_tensors["head.bias"])
    assert back.pack() == stored.pack()


def test_the_entry_of_a_network_is_tensors_by_part_and_a_description() -> None:
    embedder, stored = trained()
    tensors, description = unpack(stored.pack())
    expected = {f"embedder.{name}" for name in embedder.state_dict()}
    assert set(tensors) == expected | {"style.head.weight", "style.head.bias"}
    assert description["shape"] == list(SHAPE)
    assert description["recipe"]["seed"] == 4
    assert "weights" not in description


@pytest.mark.parametrize("head", [None, LinearHead(np.eye(3, 8, dtype="f4"), np.ones(3, "f4"))])
def test_embeddings_and_anchors_come_back_with_the_head_if_any(head: LinearHead | None) -> None:
    stored = embeddings(head)
    back = StoredEmbeddings.unpack(stored.pack())
    assert back.names == ["mean_embedding", "mean_image"] + (["head"] if head else [])
    for name in back.names:
        np.testing.assert_array_equal(
            back.distances(name, back.of("test")), stored.distances(name, stored.test)
        )
    np.testing.assert_array_equal(back.of("validation"), stored.validation)
    np.testing.assert_array_equal(back.familiarity.mean, stored.familiarity.mean)
    np.testing.assert_array_equal(back.familiarity.whitener, stored.familiarity.whitener)
    assert back.novelty.keys() == {"validation", "test"}
    for part, scores in stored.novelty.items():
        np.testing.assert_array_equal(back.novelty[part], scores)


def test_distances_are_to_the_anchors_of_that_name_or_by_the_head() -> None:
    head = LinearHead(np.eye(3, 8, dtype="f4"), np.ones(3, "f4"))
    stored = embeddings(head)
    np.testing.assert_array_equal(
        stored.distances("mean_image", stored.test),
        anchor_distances(stored.test, stored.anchors["mean_image"]),
    )
    np.testing.assert_array_equal(
        stored.distances("head", stored.test), head_distances(stored.test, head.weight, head.bias)
    )


def test_an_entry_without_test_embeddings_is_refused() -> None:
    with pytest.raises(KeyError, match="test"):
        StoredEmbeddings.unpack(pack({"validation": np.zeros((2, 8), np.float32)}, {}))
