"""Weights of the original script: against its own network, and everything that does not fit."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from runner import gaikan
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.config.toml_files import load_config
from gaikan.data.sources import read_source
from gaikan.data.split import split
from gaikan.grid.cells import cells
from gaikan.run_folder.timing_inputs import Inputs
from gaikan.system.store import unpack
from gaikan.timing.models import TrainedFiles
from gaikan.timing.timed_run import TimedRun
from gaikan.training.weights import Weights, imported

pytestmark = pytest.mark.timeout(300)
CLASSES = ("ok", "open", "spur")


class OriginalNet(nn.Module):
    """The original's embedding network, as its script has it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.drop = nn.Dropout2d(0.25)
        self.fc1 = nn.Linear(64 * 9 * 9, 256)
        self.fc2 = nn.Linear(256, 128)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(F.max_pool2d(F.relu(self.conv1(x)), 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        return F.relu(self.fc2(F.relu(self.fc1(x.reshape(-1, 64 * 9 * 9)))))


class TripletNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding_net = OriginalNet()


class ClassificationNet(nn.Module):
    """Its head is called as a layer of the network is."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.embedding_net = OriginalNet()
        self.fc1 = nn.Linear(128, n_classes)


def made(kind: Any, *arguments: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind(*arguments).eval()


def state(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.state_dict())


def frame_table(path: Path, count: int, seed: int) -> Path:
    """36 x 39 noise beyond 0..255, a brighter bar whose place is the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES)
    images = rng.integers(0, 150, (count, 36, 39))
    for image, label in zip(images, labels, strict=True):
        image[10 * label : 10 * label + 8] += 90
    flat = images.reshape(count, -1) * 3.7 + 1000.5
    columns: dict[str, Any] = {f"data{i}": flat[:, i] for i in range(flat.shape[1])}
    names = np.array(CLASSES)[labels].tolist()
    pq.write_table(pa.table(columns | {"label": labels, "fmode": names}), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    frame_table(path / "train.parquet", 60, 0)
    frame_table(path / "test.parquet", 45, 1)
    torch.save(state(made(TripletNet)), path / "triplet.pth")
    return path


def command(folder: Path, *options: str | Path) -> tuple[str | Path, ...]:
    sources = ("--train", folder / "train.parquet", "--test", folder / "test.parquet")
    return ("import", *options, *sources, "--ok", "ok")


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    path = folder / "out"
    options = ("--arch", "cnn", "--style", "triplet", "--classes", ",".join(CLASSES))
    assert gaikan(*command(folder, folder / "triplet.pth", *options), "--out", path) == 0
    return path


@torch.inference_mode()
def embeddings(images: NDArray[Any], mean: float, std: float) -> NDArray[np.float64]:
    x = (torch.from_numpy(images).float() - mean) / std
    found: NDArray[np.float64] = made(OriginalNet)(x).double().numpy()
    return found


def test_decisions_are_those_of_the_original_network(folder: Path, out: Path) -> None:
    train = read_source(str(folder / "train.parquet"))
    test = read_source(str(folder / "test.parquet"))
    fit = train.take(split(train, 0).fit)
    assert fit.images.dtype == np.float32
    mean, std = float(fit.images.mean(dtype="f8")), float(fit.images.std(dtype="f8"))
    known = embeddings(fit.images, mean, std)
    anchors = np.stack([known[fit.labels == label].mean(0) for label in range(len(CLASSES))])
    found = embeddings(test.images, mean, std)
    distances = np.linalg.norm(found[:, None] - anchors, axis=2)
    table = pd.read_parquet(out / "predictions.parquet")
    rows = table[(table["variant"] == "cnn-triplet-mean_embedding") & (table["split"] == "test")]
    expected = np.array(CLASSES)[distances.argmin(1)]
    assert rows["predicted"].astype(str).tolist() == expected.tolist()
    np.testing.assert_allclose(rows["distance"], distances.min(1), rtol=1e-3)


def test_export_and_timing_take_it_as_any_other(out: Path, tmp_path: Path) -> None:
    variant = ("--variant", "cnn-triplet-mean_embedding")
    assert gaikan("export", out, *variant, "-o", tmp_path / "part.gaikan") == 0
    said = tmp_path / "said.csv"
    test = out.parent / "test.parquet"
    assert gaikan("predict", tmp_path / "part.gaikan", test, "--csv", said) == 0
    run = TimedRun.read(out)
    (entry,) = run.scored(all_seeds=True)
    trained, embedded = run.entry(entry.store.trained), run.entry(entry.store.embedded)
    timed = TrainedFiles.of(trained, embedded)
    inputs = Inputs.unpack(run.entry(run.inputs_key))
    with torch.inference_mode():
        predicted = timed.module.only("mean_embedding")(torch.from_numpy(inputs.images))[0]
    table = pd.read_parquet(out / "predictions.parquet")
    rows = table[(table["variant"] == "cnn-triplet-mean_embedding") & (table["split"] == "test")]
    expected = rows["predicted"].astype(str).tolist()
    assert np.array(CLASSES)[predicted].tolist() == expected
    assert pd.read_csv(said)["class"].tolist() == expected


def test_the_report_says_where_the_network_comes_from(out: Path) -> None:
    report = (out / "report.md").read_text()
    assert "the network comes from triplet.pth and was not trained here" in report
    assert "fp32 training" not in report
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["weights"]["file"] == "triplet.pth"
    (network,) = manifest["networks"]
    assert network["recipe"] == {"arch": "cnn", "style": "triplet", "seed": 0}


def test_an_import_takes_no_other_runs_folder(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text('{"networks": []}')
    options = (folder / "triplet.pth", "--arch", "cnn", "--style", "triplet", "--out", tmp_path)
    assert gaikan(*command(folder, *options)) == 2
    assert "holds another run (there is no sources.json)" in capfd.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"manifest.json", ".lock"}


def arrays(folder: Path, path: Path, style: str, **asked: Any) -> dict[str, NDArray[Any]]:
    """What the store would hold."""
    train = read_source(str(folder / "train.parquet"))
    config = load_config(None, {"grid.arch": ["cnn"], "grid.style": [style], "seeds": 1})
    (cell,) = cells(config, "cpu", {0: split(train, 0)}, train)
    known = {"classes": None, "mean": None, "std": None} | asked
    _, content = imported(cell, Weights.read(path, **known), train)
    return unpack(content)[0]


def test_a_bare_network_is_taken_as_one_with_a_prefix_is(folder: Path, tmp_path: Path) -> None:
    torch.save(state(made(OriginalNet)), tmp_path / "bare.pth")
    bare = arrays(folder, tmp_path / "bare.pth", "siamese")
    prefixed = arrays(folder, folder / "triplet.pth", "triplet")
    for name, value in made(OriginalNet).state_dict().items():
        np.testing.assert_array_equal(bare[f"embedder.network.{name}"], value)
        np.testing.assert_array_equal(prefixed[f"embedder.network.{name}"], value)


def test_a_head_follows_the_order_of_the_classes(folder: Path, tmp_path: Path) -> None:
    network = made(ClassificationNet, 3)
    torch.save(state(network), tmp_path / "head.pth")
    found = arrays(folder, tmp_path / "head.pth", "vanilla", classes=("spur", "ok", "open"))
    order = [1, 2, 0]  # where the file has ok, open and spur
    np.testing.assert_array_equal(found["style.head.weight"], network.fc1.weight.detach()[order])
    np.testing.assert_array_equal(found["style.head.bias"], network.fc1.bias.detach()[order])


def test_the_originals_normalisation_can_be_given(folder: Path) -> None:
    found = arrays(folder, folder / "triplet.pth", "triplet", mean=127.5, std=255.0)
    assert found["embedder.mean"].item() == 127.5
    assert found["embedder.std"].item() == 255.0


def image_table(path: Path, count: int, seed: int) -> Path:
    """Two columns of images, two of texts."""
    rng, cells = np.random.default_rng(seed), []
    for _ in range(count):
        content = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (36, 39), np.uint8)).save(content, "PNG")
        cells.append({"bytes": content.getvalue(), "path": None})
    kinds = [CLASSES[i % 3] for i in range(count)]
    columns = {"photo": cells, "mask": cells, "kind": kinds, "line": ["a"] * count}
    pq.write_table(pa.table(columns), path)
    return path


def test_a_table_of_images_is_taken_by_the_names_of_its_columns(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train = image_table(tmp_path / "train.parquet", 30, 0)
    test = image_table(tmp_path / "test.parquet", 9, 1)
    sources = ("--train", train, "--test", test, "--ok", "ok", "--out", tmp_path / "out")
    asked = ("import", folder / "triplet.pth", "--arch", "cnn", "--style", "triplet", *sources)
    assert gaikan(*asked) == 2
    assert "which column is the image? Say --image-column NAME" in capfd.readouterr().err
    assert gaikan(*asked, "--image-column", "photo") == 2
    assert "which column is the label? Say --label-column NAME" in capfd.readouterr().err
    assert gaikan(*asked, "--image-column", "photo", "--label-column", "kind") == 0
    table = pq.read_table(tmp_path / "out/predictions.parquet").to_pandas()
    test_rows = table[table["split"] == "test"].drop_duplicates("sample")
    assert test_rows["label"].tolist() == [CLASSES[i % 3] for i in range(9)]
    assert test_rows["origin"].tolist() == [f"test.parquet:{i}" for i in range(9)]


def without(name: str) -> dict[str, Tensor]:
    return {key: value for key, value in state(made(OriginalNet)).items() if key != name}


def with_layer(name: str, value: Tensor) -> dict[str, Tensor]:
    return state(made(OriginalNet)) | {name: value}


WRONG: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "a whole module": (made(OriginalNet), (), "not a file of tensors alone"),
    "a checkpoint": ({"epoch": 3, "model": {}}, (), "a dict with int under 'epoch'"),
    "nothing": ({}, (), "not a state dict but nothing"),
    "one tensor": (torch.zeros(3), (), "not a state dict but Tensor"),
    "a sparse layer": (
        with_layer("fc2.bias", torch.ones(128).to_sparse()),
        (),
        "a dict with a sparse, quantised or meta tensor under 'fc2.bias'",
    ),
    "a layer too few": (without("conv3.bias"), (), "no layer 'conv3.bias'; the cnn for images of"),
    "a layer too many": (
        with_layer("fc3.weight", torch.zeros(3, 128)),
        (),
        "layer 'fc3.weight', 3 x 128: the cnn for images of 1 x 36 x 39 has none such",
    ),
    "another shape": (
        with_layer("fc1.weight", torch.zeros(256, 4096)),
        (),
        "layer 'fc1.weight' is 256 x 4096, the cnn for images of 1 x 36 x 39 has 256 x 5184",
    ),
    "not finite": (with_layer("fc2.bias", torch.full((128,), torch.nan)), (), "not finite"),
    "another arch": (without(""), ("--arch", "mlp"), "'fc1.weight' is 256 x 5184, the mlp"),
    "no head": (without(""), ("--style", "vanilla"), "needs its softmax head, 3 x 128"),
    "a wider head": (
        state(made(ClassificationNet, 7)),
        ("--style", "vanilla"),
        "layer 'fc1.weight' is 7 x 128; style 'vanilla' needs",
    ),
    "other classes": (without(""), ("--classes", "ok,open"), "--classes ok,open: "),
    "half a normalisation": (without(""), ("--mean", "3"), "say both, or neither"),
    "no deviation": (without(""), ("--mean", "3", "--std", "0"), "not a normalisation"),
    "no such arch": (without(""), ("--arch", "vgg"), "no arch 'vgg'; there are mlp, resnet, cnn"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(
    kind: str, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content, options, words = WRONG[kind]
    torch.save(content, tmp_path / "w.pth")
    asked = command(folder, tmp_path / "w.pth", "--arch", "cnn", "--style", "triplet", *options)
    assert gaikan(*asked, "--out", tmp_path / "out") == 2
    stderr = capfd.readouterr().err.strip()
    assert stderr.count("\n") == 0
    assert words in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


class Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("gaikan-was-here"),)


@pytest.mark.parametrize("content", [b"", b"no weights" * 99, pickle.dumps(Evil())])
def test_no_code_of_a_file_is_run(
    content: bytes, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pth").write_bytes(content)
    assert gaikan(*command(folder, "w.pth", "--arch", "cnn", "--style", "triplet")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]
