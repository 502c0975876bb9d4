"""Frozen networks: what counts as rounding, what as another inference, and how they are kept."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import smoke_parts
import torch
from numpy.typing import NDArray

from gaikan.check import frozen_networks
from gaikan.check.frozen_file import frozen_path, read_frozen, save_frozen
from gaikan.check.frozen_networks import FrozenNetwork, FrozenNetworks, changed, distances
from gaikan.errors import ConfigError
from gaikan.networks import NETWORKS, Embedder
from gaikan.styles import STYLES
from gaikan.system.store import pack
from gaikan.training.cell import Arrays
from gaikan.training.stored_network import StoredNetwork, tensors_of

Images = NDArray[np.uint8]
Floats = NDArray[np.float64]
ANCHORS = ("mean_image", "mean_embedding")
CLASSES = tuple(smoke_parts.MODES)


def network(arch: str) -> StoredNetwork:
    """One that knows nothing, of vanilla style."""
    torch.manual_seed(0)
    embedder = Embedder(NETWORKS[arch]((1, 12, 12)), torch.tensor([110.0]), torch.tensor([40.0]))
    style = STYLES["vanilla"]
    head = style(style.options_type(), CLASSES, embedder.embedding_size)
    recipe = {"arch": arch, "style": "vanilla", "seed": 0}
    return StoredNetwork(tensors_of(embedder), tensors_of(head), recipe, CLASSES, (1, 12, 12))


@pytest.fixture(scope="module")
def frozen() -> FrozenNetworks:
    (train, labels), (test, _) = (smoke_parts.lot(number, 30) for number in (0, 20))
    raw_train, raw_test = (images[:, None].astype(np.uint8) for images in (train, test))
    images = Arrays(raw_train, labels, CLASSES, raw_test, "some")
    networks = []
    for arch in ("cnn", "mlp"):
        trained = network(arch).pack()
        networks.append(FrozenNetwork(trained, distances(trained, images, ANCHORS)))
    return FrozenNetworks(images, ANCHORS, tuple(networks))


def naive(network: StoredNetwork, image: Images) -> Floats:
    """The embedding (D,) of one raw image in float64."""
    embedder = network.embedder().double()
    pixels = (torch.from_numpy(image.astype(np.float64)) - embedder.mean) / embedder.std
    embedding: Floats = embedder.network(pixels)[0].detach().numpy()
    return embedding


def test_distances_are_those_of_a_naive_loop_in_float64(frozen: FrozenNetworks) -> None:
    images = frozen.images
    for kept in frozen.networks:
        own = StoredNetwork.unpack(kept.trained)
        train = np.stack([naive(own, image) for image in images.train])
        for i, image in enumerate(images.test[:5]):
            for label in range(len(CLASSES)):
                anchor = train[images.labels == label].mean(0)
                expected = np.sqrt(np.square(naive(own, image) - anchor).sum())
                found = kept.distances["mean_embedding"][i, label]
                assert found == pytest.approx(expected, rel=1e-5)


def test_nothing_has_changed_on_processors_of_other_instruction_sets(
    frozen: FrozenNetworks, tmp_path: Path
) -> None:
    """Distances move, but by rounding alone."""
    save_frozen(frozen, tmp_path / "b.json")
    code = (
        "import pathlib, sys, numpy as np\n"
        "from gaikan.check.frozen_networks import FrozenNetworks, changed, distances\n"
        "frozen = FrozenNetworks.unpack(pathlib.Path(sys.argv[1]).read_bytes(), '')\n"
        "now = [distances(n.trained, frozen.images, frozen.anchors) for n in frozen.networks]\n"
        "print(all((d[k] == n.distances[k]).all()\n"
        "          for d, n in zip(now, frozen.networks) for k in d), list(changed(frozen)))\n"
    )
    other = {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(frozen_path(tmp_path / "b.json"))],
        env=os.environ | other | {"MKL_CBWR": "COMPATIBLE"},
        capture_output=True,
        text=True,
        check=True,
    )
    same, _, sentences = done.stdout.strip().partition(" ")
    assert sentences == "[]"
    if same == "True":
        pytest.skip("this processor computes the same with those instructions")


def test_bfloat16_is_no_rounding(frozen: FrozenNetworks) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        said = [line.partition(":")[0] for line in changed(frozen)]
    expected = {f"frozen {arch}-vanilla, {a}" for arch in ("cnn", "mlp") for a in ANCHORS}
    assert expected <= set(said)


def moved(frozen: FrozenNetworks, by: float) -> FrozenNetworks:
    """As if one distance of the `mlp` had been another by a share of the mean distance."""
    kept = frozen.networks[1]
    before = kept.distances["mean_embedding"].copy()
    before[3, 2] += by * before.mean()
    other = replace(kept, distances=kept.distances | {"mean_embedding": before})
    return replace(frozen, networks=(frozen.networks[0], other))


def test_a_distance_may_move_by_the_tolerance(frozen: FrozenNetworks) -> None:
    assert list(changed(frozen)) == []
    assert list(changed(moved(frozen, 0.9e-4))) == []
    (sentence,) = changed(moved(frozen, -1.2e-4))
    assert sentence == (
        "frozen mlp-vanilla, mean_embedding: distances moved by 0.012 % of their mean (at most "
        "0.01 %), 0 of 30 decisions changed; inference has changed"
    )


def test_a_decision_that_is_no_tie_must_stay(
    frozen: FrozenNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_networks, "TOLERANCE", 1e9)
    assert list(changed(frozen)) == []  # with such a tolerance all are ties
    monkeypatch.undo()
    (sentence,) = changed(moved(frozen, -2))
    assert "1 of 30 decisions changed" in sentence


def test_a_network_that_cannot_be_computed_is_one_line(frozen: FrozenNetworks) -> None:
    stored = network("cnn")
    del stored.embedder_tensors["network.conv2.weight"]
    gone = replace(network("mlp"), recipe={"arch": "gone", "style": "vanilla", "seed": 0})
    kept = [replace(frozen.networks[0], trained=each.pack()) for each in (stored, gone)]
    found = list(changed(replace(frozen, networks=tuple(kept))))
    assert [line.partition(":")[0] for line in found] == [
        "frozen cnn-vanilla cannot be computed any more",
        "frozen gone-vanilla cannot be computed any more",
    ]
    assert not any("\n" in line for line in found)


def test_the_file_holds_all_of_it(frozen: FrozenNetworks, tmp_path: Path) -> None:
    checksum = save_frozen(frozen, tmp_path / "b.json")
    found = read_frozen(tmp_path / "b.json", checksum)
    assert found is not None
    assert found.pack() == frozen.pack()
    assert list(changed(found)) == []
    assert save_frozen(None, tmp_path / "b.json") is None
    assert not frozen_path(tmp_path / "b.json").exists()


def test_a_file_that_is_absent_or_damaged_is_one_line(
    frozen: FrozenNetworks, tmp_path: Path
) -> None:
    baseline = tmp_path / "b.json"
    checksum = save_frozen(frozen, baseline)
    path = frozen_path(baseline)
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:]):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"^\S+b\.frozen\.safetensors: damaged, or of anot"):
            read_frozen(baseline, checksum)
    path.unlink()
    with pytest.raises(ConfigError, match=r"b\.frozen\.safetensors: not there, though .*--update"):
        read_frozen(baseline, checksum)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", pack({"x": np.zeros(3)}, {}), pack({}, {"networks": 9, "classes": 1})],
)
def test_a_file_that_was_made_to_be_wrong_is_one_line(content: bytes, tmp_path: Path) -> None:
    frozen_path(tmp_path / "b.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"b\.frozen\.safetensors: holds no frozen networks; "):
        read_frozen(tmp_path / "b.json", hashlib.sha256(content).hexdigest())
