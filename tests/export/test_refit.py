"""`gaikan export --refit`: from a run to a bundle of a network that learned from all images."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from runner import bench, gaikan
from small_run import Fake, row
from tiny import write_class

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.manifest import read_manifest
from gaikan.system.store import Store, unpack
from gaikan.training.stored_network import StoredNetwork

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 1
base_seed = {seed}
references = "none"
pictures = false
[data]
train = "{folder}/parts"
{data}
[grid]
arch = ["mlp"]
style = ["vanilla"]
[train]
epochs = 3
batch_size = 16
[timing]
enabled = false
[stage.line]
escape_bound = {{ max = 0.9 }}
"""
OK = 'ok = "ok"\ntest = "{folder}/later"'
HEAD, ANCHORS = "mlp-vanilla-head", "mlp-vanilla-mean_embedding"


def made(folder: Path, data: str, seed: int = 0) -> Path:
    """A run of the images in `folder`."""
    text = TOML.format(folder=folder, data=data.format(folder=folder), seed=seed)
    if 'ok = "ok"' not in data:
        text = text.partition("[stage")[0]
    (folder / "grid.toml").write_text(text)
    assert bench(folder / "grid.toml", "--out", folder / "run") == 0
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a pick, its images beside it."""
    folder = tmp_path_factory.mktemp("refit")
    for seed, part in enumerate(("parts", "later")):
        for place, name in enumerate(("ok", "open", "spur")):
            write_class(folder / part / name, 3 * place, 40, seed, contrast=60)
    run = made(folder, OK)
    fakes = [Fake(variant, 0, {"onnxruntime-fp32": 0.1}) for variant in (HEAD, ANCHORS)]
    write_rows(run / "latency.csv", [row(each, "onnxruntime-fp32", 1) for each in fakes])
    assert gaikan("pick", run) == 0
    return run


@pytest.fixture(scope="module")
def card(run: Path) -> Any:
    """Of the refit of the pick."""
    assert gaikan("export", run, "--stage", "line", "--refit", "-o", run / "r.gaikan") == 0
    return Bundle.open(run / "r.gaikan").card


def entries(run: Path) -> set[str]:
    return {path.name for path in (run / "store").glob("*.safetensors")}


def test_it_learns_from_all_training_images_for_the_epochs_that_were_chosen(
    run: Path, card: Any
) -> None:
    (judged,) = read_manifest(run).networks
    content = Store(run / "store").load(card.training["network"])
    assert content is not None
    network = StoredNetwork.unpack(content)
    assert card.refit["images"] == 120
    assert card.refit["epochs"] == judged.best_epoch == network.best_epoch == len(network.losses)
    assert network.validation_scores == {}
    images = [np.asarray(Image.open(path)) for path in (run.parent / "parts").rglob("*.png")]
    mean = network.embedder_tensors["mean"].item()
    assert mean == pytest.approx(np.mean(images), rel=1e-5)


def test_the_card_says_which_figures_are_of_which_network(run: Path, card: Any) -> None:
    judged_bundle = run / "judged.gaikan"
    assert gaikan("export", run, "--stage", "line", "-o", judged_bundle) == 0
    judged = Bundle.open(judged_bundle).card
    assert judged.refit is None
    assert (card.metrics, card.threshold) == (judged.metrics, judged.threshold)
    assert card.refit["judged_network"] == judged.training["network"] != card.training["network"]
    figures = card.refit["test"]
    test = judged.metrics["test"]
    for name, key in (("accuracy", "accuracy"), ("escape rate", "escape_rate")):
        assert figures[name]["judged"] == pytest.approx(test[key]["value"])


def test_the_bundle_decides_as_its_card_says_of_test(run: Path, card: Any) -> None:
    said = run.parent / "said.csv"
    assert gaikan("predict", run / "r.gaikan", run.parent / "later", "--csv", said) == 0
    table = pd.read_csv(said)
    actual = table["image"].map(lambda path: Path(path).parent.name)
    figures = card.refit["test"]
    assert figures["accuracy"]["refit"] == pytest.approx((table["class"] == actual).mean())
    good = actual == "ok"
    escapes, overkills = (table["class"] == "ok")[~good], (table["class"] != "ok")[good]
    assert figures["escape rate"]["refit"] == pytest.approx(escapes.mean())
    assert figures["overkill rate"]["refit"] == pytest.approx(overkills.mean())


def test_it_is_trained_once_and_the_same_again(
    run: Path, card: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before, again = entries(run), run / "again.gaikan"
    assert gaikan("export", run, "--stage", "line", "--refit", "-o", again) == 0
    said = capfd.readouterr().out
    assert "1 of 1 cells are stored" in said
    assert entries(run) == before
    assert again.read_bytes() == (run / "r.gaikan").read_bytes()
    for name in ("picks, threshold and promise are of the judged", "escape rate", "accuracy"):
        assert name in said
    for path in (run / "store").glob(f"{card.training['network']}*"):
        path.unlink()
    assert gaikan("export", run, "--stage", "line", "--refit", "-o", again) == 0
    assert "cells are stored" not in capfd.readouterr().out
    assert again.read_bytes() == (run / "r.gaikan").read_bytes()


def test_a_bundle_of_it_is_timed_without_figures_that_are_not_its_own(
    run: Path, card: Any, tmp_path: Path
) -> None:
    bundle = tmp_path / "r.gaikan"
    assert gaikan("export", run, "--variant", ANCHORS, "--refit", "-o", bundle) == 0
    assert gaikan("time", bundle, "--quick", "--threads", "1", "--out", tmp_path / "t.csv") == 0
    times = pd.read_csv(tmp_path / "t.csv")
    assert times["accuracy"].isna().all()
    assert set(times["network"]) == {card.training["network"]}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a good class, a test source, lots or a pick."""
    folder = tmp_path_factory.mktemp("plain")
    for place, name in enumerate(("a", "b")):
        write_class(folder / "parts" / name, 3 * place, 30, 0)
    return made(folder, "")


@pytest.mark.parametrize("variant", [HEAD, ANCHORS])
def test_nothing_optional_is_needed(
    variant: str, plain: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "m.gaikan"
    assert gaikan("export", plain, "--variant", variant, "--refit", "-o", bundle) == 0
    refit = Bundle.open(bundle).card.refit
    assert refit is not None
    assert list(refit["test"]) == ["accuracy"]
    assert refit["images"] == 48  # the fifth that is the test part stays unseen
    assert "escape" not in capfd.readouterr().out


def test_validation_images_that_teach_wrong_classes_are_noticed_on_test(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two lots, of which the second has its classes exchanged; in some split it is validation."""
    for lot, places in (("right", (0, 6)), ("wrong", (6, 0))):
        for place, name in zip(places, ("ok", "open"), strict=True):
            write_class(tmp_path / "parts" / name / lot, place, 40, len(lot))
    for place, name in ((0, "ok"), (6, "open")):
        for number in range(4):
            write_class(tmp_path / "later" / name / f"lot{number}", place, 10, number + 9)
    for seed in range(8):
        run = made(tmp_path, OK, seed)
        table = pd.read_csv(run / "accuracy.csv").query("split == 'test'").set_index("variant")
        if table["accuracy"][HEAD] > 0.9:
            break
        shutil.rmtree(run)
    bundle = tmp_path / "m.gaikan"
    capfd.readouterr()
    assert gaikan("export", run, "--variant", HEAD, "--refit", "-o", bundle) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "test shows the refit with worse accuracy" in said
    assert not bundle.exists()


def test_images_that_have_changed_or_gone_are_one_line(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ("export", run, "--variant", HEAD, "--refit", "-o", tmp_path / "m.gaikan")
    later, away = run.parent / "later", run.parent / "away"
    later.rename(away)
    try:
        assert gaikan(*asked) == 2
        gone = capfd.readouterr().err
        shutil.copytree(away, later)
        next(later.rglob("*.png")).unlink()
        assert gaikan(*asked) == 2
        changed = capfd.readouterr().err
    finally:
        shutil.rmtree(later, ignore_errors=True)
        away.rename(later)
    for said, words in ((gone, "later"), (changed, "no longer the test images")):
        assert said.count("\n") == 1
        assert words in said
    assert not list(tmp_path.iterdir())


def test_imported_weights_are_not_refit(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (judged,) = read_manifest(run).networks
    content = Store(run / "store").load(judged.store.trained)
    assert content is not None
    stored = StoredNetwork.unpack(content)
    weights = {
        name.removeprefix("network."): torch.from_numpy(value)
        for name, value in stored.embedder_tensors.items()
        if name.startswith("network.")
    }
    torch.save(weights, tmp_path / "w.pt")
    source = ("--train", run.parent / "parts", "--out", tmp_path / "run")
    asked = ("--arch", "mlp", "--style", "triplet", *source)
    assert gaikan("import", tmp_path / "w.pt", *asked) == 0
    capfd.readouterr()
    variant = ("--variant", "mlp-triplet-mean_embedding")
    bundle = tmp_path / "m.gaikan"
    assert gaikan("export", tmp_path / "run", *variant, "--refit", "-o", bundle) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "was not trained here" in said
    assert not bundle.exists()


def test_anchors_are_of_all_images_too(run: Path, card: Any) -> None:
    judged = Store(run / "store").load(read_manifest(run).networks[0].store.embedded)
    assert judged is not None
    own, _ = unpack(judged)
    all_entries = [unpack(path.read_bytes())[0] for path in (run / "store").glob("*.safetensors")]
    (refit,) = [found for found in all_entries if len(found.get("validation", "-")) == 0]
    assert refit.keys() == own.keys()
    assert not np.allclose(refit["anchors.mean_embedding"], own["anchors.mean_embedding"])
