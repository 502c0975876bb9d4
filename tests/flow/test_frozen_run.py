"""A run with a network that others trained, from its file to the line."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from runner import bench, gaikan
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny import write_class
from tiny_backbone import write_backbone

from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames, Images
from gaikan.evaluation.experiment import Experiment, prepare
from gaikan.language.words import say, unpacked
from gaikan.run_folder.latency_rows import Row, read_rows
from gaikan.timing.measure import PLANS, Rule, SamplingPlan

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 2
references = "none"
pictures = false
[data]
train = "parts"
ok = "ok"
[grid]
arch = ["tiny", "mlp"]
style = ["triplet"]
[network.tiny]
onnx = "models/backbone.onnx"
[train]
epochs = 1
batch_size = 16
[timing]
enabled = false
"""
RUNTIMES = ("onnxruntime-fp32", "onnxruntime-int8", "openvino-fp32")
TINY = SamplingPlan(Rule(0.002, 4), Rule(0.002, 2), (1,), rounds=2, warm_up=0.01)
STAGES = """
[stage.any]
mflops = { max = 0.2 }  # which the mlp has not
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frozen")
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(path / "parts" / name, 4 * place, 40, seed=0, contrast=60 * (1 + place))
    # Three channels: grey is repeated. A map: its mean is taken.
    write_backbone(path / "models" / "backbone.onnx", channels=3, pooled=False)
    (path / "grid.toml").write_text(TOML)
    assert bench(path / "grid.toml", "--out", path / "out") == 0
    return path


@pytest.fixture(scope="module")
def timed(folder: Path) -> list[Row]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PLANS, "quick", TINY)
        runtimes = [f"--runtime={label}" for label in RUNTIMES]
        assert gaikan("time", folder / "out", "--quick", "--threads", "1", *runtimes) == 0
    return read_rows(folder / "out" / "latency.csv")


def embeddings(folder: Path, images: Images, fit: Images) -> NDArray[np.float32]:
    """By ONNX Runtime alone."""
    session = onnxruntime.InferenceSession(folder / "models" / "backbone.onnx")
    normalised = ((images - fit.mean()) / fit.std()).astype(np.float32)
    (maps,) = session.run(None, {"image": np.repeat(normalised, 3, 1)})
    return np.asarray(maps.mean((2, 3)))


def experiment_of(folder: Path) -> Experiment:
    return prepare(load_config(folder / "grid.toml", {}))


def judges(folder: Path, fit: Frames) -> dict[str, ClassifierMixin]:
    """By the way of deciding; each judges embeddings."""
    learned = embeddings(folder, fit.images, fit.images)
    mean_image = np.stack([fit.images[fit.labels == k].mean(0) for k in range(3)])
    of_images = embeddings(folder, mean_image.astype(np.float32), fit.images)
    return {
        "mean_embedding": NearestCentroid().fit(learned, fit.labels),
        "mean_image": KNeighborsClassifier(1).fit(of_images, np.arange(3)),
        "head": make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
        ).fit(learned.astype(float), fit.labels),
    }


def test_its_accuracy_is_that_of_scikit_learn_on_the_same_split(folder: Path) -> None:
    scores = pd.read_csv(folder / "out" / "accuracy.csv").set_index(["variant", "seed", "split"])
    experiment = experiment_of(folder)
    train, test = experiment.train, experiment.test
    seen = set()
    for seed, parts in experiment.parts.items():
        fit = train.take(parts.fit)
        of_fit = judges(folder, fit)
        for split, part in (("validation", train.take(parts.validation)), ("test", test)):
            shown = embeddings(folder, part.images, fit.images)
            for name, judge in of_fit.items():
                accuracy = float((judge.predict(shown.astype(float)) == part.labels).mean())
                found = scores.loc[(f"tiny-frozen-{name}", seed, split), "accuracy"]
                assert found == pytest.approx(accuracy), (name, seed, split)
                seen.add(round(accuracy, 3))
    assert len(seen) > 3  # no constant answer


def test_the_run_says_that_it_was_not_trained(folder: Path) -> None:
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    told = [unpacked(json.dumps(note)).en for note in manifest["data"]["train"]["notes"]]
    (note,) = [note for note in told if "tiny" in note]
    assert "seeds differ by the split alone; grey is given to each of its 3 channels" in note
    assert {network["network"] for network in manifest["networks"]} == {
        "tiny-frozen",
        "mlp-triplet",
    }


def test_a_second_run_embeds_nothing_and_another_file_is_another_network(
    folder: Path, tmp_path: Path
) -> None:
    with redirect_stdout(io.StringIO()) as shown:
        assert bench(folder / "grid.toml", "--out", folder / "out") == 0
    assert "Nothing has changed" in shown.getvalue()
    text = TOML.replace("parts", f"{folder}/parts").replace(', "mlp"', "").replace('ok = "ok"', "")
    # Of nothing but this network there is nothing by the original protocol.
    (tmp_path / "grid.toml").write_text('protocol = "original"\n' + text.replace("= 2", "= 1"))
    write_backbone(tmp_path / "models" / "backbone.onnx", features=5)
    assert bench(tmp_path / "grid.toml", "--out", tmp_path / "out") == 0
    keys = [
        {n["store"]["trained"] for n in json.loads((out / "manifest.json").read_text())["networks"]}
        for out in (folder / "out", tmp_path / "out")
    ]
    assert keys[0].isdisjoint(keys[1])


def test_every_runtime_has_a_row_and_pytorch_says_why_it_has_no_figures(timed: list[Row]) -> None:
    own = [row for row in timed if row.variant.startswith("tiny-")]
    for row in own:
        if row.runtime == "torch":
            assert row.skipped == say("onnx_network")
        else:
            assert row.skipped is None
            assert row.p50_ms is not None
            assert row.parameters is not None
            assert row.mflops == pytest.approx(2e-6 * 12 * 27 * 12 * 12, rel=0.05)
    assert {f"{row.runtime}-{row.precision}" for row in own} == {"torch-fp32", *RUNTIMES}
    exact = [row for row in own if (row.runtime, row.precision) == ("onnxruntime", "fp32")]
    assert len(exact) == 3
    assert all(row.agreement == 1 and row.accuracy == row.reference_accuracy for row in exact)


def test_it_is_picked_exported_and_predicts_as_the_run_did(
    folder: Path, timed: list[Row], tmp_path: Path
) -> None:
    out, bundle = folder / "out", tmp_path / "any.gaikan"
    (tmp_path / "stages.toml").write_text(STAGES)
    assert timed
    assert gaikan("pick", out, "--stages", tmp_path / "stages.toml") == 0
    pick = json.loads((out / "picks.json").read_text())["stages"]["any"]["pick"]
    assert pick["variant"].startswith("tiny-frozen-")
    assert gaikan("export", out, "--stage", "any", "-o", bundle) == 0
    assert gaikan("predict", bundle, folder / "parts" / "open", "--csv", tmp_path / "p.csv") == 0
    said = pd.read_csv(tmp_path / "p.csv")
    experiment = experiment_of(folder)
    fit = experiment.train.take(experiment.parts[pick["seed"]].fit)
    judge = judges(folder, fit)[pick["variant"].removeprefix("tiny-frozen-")]
    files = sorted((folder / "parts" / "open").glob("*.png"))
    assert len(files) == 40
    images = np.stack([np.asarray(Image.open(file), np.float32)[None] for file in files])
    expected = judge.predict(embeddings(folder, images, fit.images).astype(float))
    assert said["image"].tolist() == [str(file) for file in files]
    assert said["class"].tolist() == [experiment.train.classes[k] for k in expected]


def test_it_is_not_refitted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ("--variant", "tiny-frozen-head", "--refit", "-o", tmp_path / "b.gaikan")
    assert gaikan("export", folder / "out", *chosen) == 2
    assert "was not trained here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[network.tiny]\nonnx = "none.onnx"', "network.tiny.onnx': {0}/none.onnx: cannot be read"),
        ('[network.tiny]\nonnx = "a\\u0000b"', "cannot be read"),
        ('[network.tiny]\nonnx = "."', "cannot be read"),
        ('[network.tiny]\nonnx = "grid.toml"', "grid.toml: no ONNX file"),
        ('[network.tiny]\nonnx = "large.onnx"', "say --shape 64x64"),
        ("[network.tiny]\nonnx = 3", "key 'network.tiny.onnx'"),
        ('[network.tiny]\nonnx = "a"\nfile = "b"', "unknown key 'network.tiny.file'"),
        ("[network.tiny]\n", "key 'network.tiny.onnx'"),
        ('[network.mlp]\nonnx = "large.onnx"', "key 'network.mlp': an architecture is called so"),
        ('[network.MLP]\nonnx = "large.onnx"', "both are called"),
        ('[network."a b"]\nonnx = "large.onnx"', "arch 'a b': a name is letters"),
        ('[network.reference]\nonnx = "large.onnx"', "this name has a meaning already"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_trained(
    folder: Path, tmp_path: Path, table: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_backbone(tmp_path / "large.onnx", size=(64, 64))
    text = f'references = "none"\n[data]\ntrain = "{folder}/parts"\n{table}\n'
    (tmp_path / "grid.toml").write_text(text)
    assert bench(tmp_path / "grid.toml", "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err.strip()
    assert said.format(tmp_path) in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()
