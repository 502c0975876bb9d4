"""From a run folder to bundles, on a tiny run: parity, int8, timing, and what is refused."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from runner import bench, gaikan
from tiny import write_class

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.graph import anchors_of, with_anchors
from gaikan.errors import BundleError
from gaikan.export import parity
from gaikan.export.novelty_score import Novelty
from gaikan.export.parity import Parity, compare, judge
from gaikan.export.source import BundleChoice, load_source, reread
from gaikan.run_folder.latency_rows import read_rows
from gaikan.run_folder.manifest import read_manifest
from gaikan.timing.measure import PLANS, Rule, SamplingPlan

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 1
references = "none"
pictures = false
[data]
train = "{folder}/parts"
test = "{folder}/later"
ok = "ok"
[grid]
style = ["vanilla", "triplet"]
[train]
epochs = 1
batch_size = 16
normalise = "image"
[timing]
enabled = false
"""
TINY = SamplingPlan(Rule(0.002, 4), Rule(0.002, 2), (1, 3), rounds=3, warm_up=0.01)
MLP, CNN = "mlp-triplet-mean_embedding", "cnn-triplet-mean_embedding"
INT8 = ("--precision", "int8", "--allow-drop")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four barely trained networks, its images beside it."""
    path = tmp_path_factory.mktemp("export")
    for seed, (part, count) in enumerate((("parts", 30), ("later", 20))):
        for place, name in enumerate(("ok", "open", "spur")):
            write_class(path / part / name, 3 * place, count, seed, contrast=40)
    (path / "grid.toml").write_text(TOML.format(folder=path))
    assert bench(path / "grid.toml", "--out", path / "out") == 0
    return path / "out"


@pytest.fixture(scope="module")
def bundles(out: Path) -> Path:
    """Where exported bundles are kept, each exported once."""
    folder = out.parent / "bundles"
    folder.mkdir()
    return folder


def exported(out: Path, bundles: Path, variant: str, *options: str) -> Path:
    path = bundles / f"{'-'.join([variant, *options])}.gaikan"
    if not path.exists():
        assert gaikan("export", out, "--variant", variant, "-o", path, *options) == 0
    return path


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("mlp-vanilla-head", ()),
        ("mlp-triplet-mean_image", ()),
        (MLP, ()),
        (MLP, ("--runtime", "openvino")),
        (CNN, ()),
    ],
)
def test_a_bundle_decides_as_the_run_did(
    variant: str, options: tuple[str, ...], out: Path, bundles: Path
) -> None:
    bundle = exported(out, bundles, variant, *options)
    found = bundles / "found.csv"
    assert gaikan("predict", bundle, out.parent / "later", "--csv", found) == 0
    table = pd.read_parquet(out / "predictions.parquet")
    rows = table[(table["variant"] == variant) & (table["split"] == "test")]
    files = sorted((out.parent / "later").rglob("*.png"))
    expected: dict[str, Any] = {str(files[row["sample"]]): row for row in rows.to_dict("records")}
    with found.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(expected) == 60
    for line in lines:
        row = expected[line["image"]]
        assert line["class"] == row["predicted"]
        assert line["verdict"] == ("ok" if row["predicted"] == "ok" else "defective")
        assert float(line["distance"]) == pytest.approx(row["distance"], rel=1e-4, abs=1e-6)
        assert float(line["margin"]) == pytest.approx(row["margin"], rel=1e-3, abs=1e-5)


def test_the_card_says_what_the_run_measured(out: Path, bundles: Path) -> None:
    card = Bundle.open(exported(out, bundles, MLP)).card
    scores = pd.read_csv(out / "accuracy.csv").set_index(["variant", "split"])
    for split in ("validation", "test"):
        found = card.metrics[split]
        for name in ("accuracy", "escape_rate", "overkill_rate"):
            expected = scores[name].loc[MLP, split]
            assert found[name]["value"] == pytest.approx(expected, abs=1e-6)
            assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert card.training["fingerprint"] == manifest["data"]["train"]["fingerprint"]
    assert (card.classes, card.ok, card.shape) == (("ok", "open", "spur"), "ok", (1, 12, 12))


@pytest.mark.parametrize("variant", ["mlp-vanilla-head", "mlp-triplet-mean_image", MLP, CNN])
def test_every_decision_is_there_in_int8(variant: str, out: Path, bundles: Path) -> None:
    bundle = Bundle.open(exported(out, bundles, variant, *INT8))
    shares = bundle.card.parity["validation"]
    assert bundle.card.precision == "int8"
    assert shares["agreement"] > 0.8
    assert bundle.card.held_out > 0  # whose novelty is computed in int8, too


def test_int8_is_int8_and_its_parity_is_what_it_does(out: Path, bundles: Path) -> None:
    small, whole = (Bundle.open(exported(out, bundles, CNN, *options)) for options in (INT8, ()))
    kinds = {tensor.data_type for tensor in onnx.load_from_string(small.model).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    assert len(small.model) < len(whole.model) / 2
    experiment = reread(out, read_manifest(out))
    fit = experiment.train.take(experiment.parts[0].fit)
    a, b = small(fit.images), whole(fit.images)
    assert (a.distances != b.distances).any()
    stated = small.card.parity["fit"]
    assert stated["agreement"] == pytest.approx((a.predicted == b.predicted).mean())
    assert stated["accuracy"] == pytest.approx((a.predicted == fit.labels).mean())
    assert stated["reference_accuracy"] == pytest.approx((b.predicted == fit.labels).mean())


@pytest.mark.parametrize(
    ("variant", "options"), [(MLP, ("--runtime", "openvino", *INT8)), (CNN, INT8)]
)
def test_an_int8_bundle_is_enrolled_too(
    variant: str, options: tuple[str, ...], out: Path, bundles: Path
) -> None:
    bundle, new = exported(out, bundles, variant, *options), bundles / f"new-{variant}.gaikan"
    spur = out.parent / "parts/spur"
    assert gaikan("enrol", bundle, spur, "--class", "burr", "-o", new) == 0
    before = new.read_bytes()
    assert gaikan("export", out, "--variant", MLP, "-o", new) == 2
    assert new.read_bytes() == before
    assert Bundle.open(new).card.classes == ("ok", "open", "spur", "burr")


def test_int8_that_loses_more_than_the_margin_needs_allow_drop(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "LARGEST_DROP", -1.0)  # no network this small loses any
    asked = ("--variant", MLP, "--precision", "int8", "-o", tmp_path / "m.gaikan")
    assert gaikan("export", out, *asked) == 2
    assert "points of accuracy on 54 fit images" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
    judge("int8", [found(lost=0.5)], allow_drop=True)


def found(
    agreement: float = 1.0, ties: int = 0, error: float = 0.0, lost: float = 0.0, other: int = 0
) -> Parity:
    return Parity("fit", 1000, agreement, ties, error, other, 0.9 - lost, 0.9)


@pytest.mark.parametrize(
    ("precision", "parity_", "words"),
    [
        ("fp32", found(error=9e-5), None),
        ("fp32", found(error=2e-4), "differs from its network on 0 of 1000"),
        ("fp32", found(error=float("nan")), "distances by up to nan"),
        ("fp32", found(agreement=0.998, ties=2), None),
        ("fp32", found(agreement=0.997, ties=2), "on 3 of 1000 fit images"),
        ("int8", found(agreement=0.9, error=0.5, lost=0.009), None),
        ("fp32", found(other=1), "1 of 1000 fit images another novelty p-value"),
        ("int8", found(other=900), None),
        ("int8", found(lost=0.011), "int8 takes 1.1 points"),
        ("int8", found(lost=-0.05), None),
    ],
)
def test_what_parity_lets_pass(precision: str, parity_: Parity, words: str | None) -> None:
    if words is None:
        judge(precision, [parity_], allow_drop=False)
    else:
        with pytest.raises(BundleError, match=words):
            judge(precision, [found(), parity_], allow_drop=False)


def test_other_anchors_than_the_networks_are_noticed(out: Path, bundles: Path) -> None:
    bundle = Bundle.open(exported(out, bundles, MLP))
    source = load_source(out, BundleChoice(MLP, 0))
    frames = reread(out, source.manifest).train
    novelty = Novelty.of(source.embedded, None)
    judge("fp32", [compare("fit", bundle, source, novelty, frames)], False)
    shifted = with_anchors(bundle.model, anchors_of(bundle.model) * np.float32(1.001))
    wrong = compare("fit", replace(bundle, model=shifted), source, novelty, frames)
    with pytest.raises(BundleError, match="differs from its network"):
        judge("fp32", [wrong], False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--variant", "vgg-triplet-mean_image"), "no variant 'vgg-triplet-mean_image'"),
        (("--variant", "mlp-triplet-head"), "no variant 'mlp-triplet-head'; there are"),
        (("--variant", MLP, "--seed", "9"), "mlp-triplet has no seed 9; seeds: 0"),
        (("--variant", MLP, "--runtime", "torch"), "a bundle has onnx or openvino"),
        (("--variant", MLP, "--precision", "fp16"), "a bundle has fp32 or int8"),
        ((), "say one of the two: --variant NAME"),
    ],
)
def test_what_there_is_not_is_one_line(
    options: tuple[str, ...],
    words: str,
    out: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert gaikan("export", out, *options, "-o", tmp_path / "m.gaikan") == 2
    stderr = capfd.readouterr().err
    assert stderr.count("\n") == 1
    assert words in stderr
    assert not list(tmp_path.iterdir())


def test_other_images_than_the_runs_are_refused(
    out: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    extra = out.parent / "parts/ok/zzz.png"
    shutil.copy(out.parent / "parts/ok/000.png", extra)
    try:
        assert gaikan("export", out, "--variant", MLP, "-o", tmp_path / "m.gaikan") == 2
    finally:
        extra.unlink()
    assert "no longer the train images" in capfd.readouterr().err


def test_an_empty_name_of_a_bundle_is_one_line(
    out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert gaikan("export", out, "--variant", MLP, "-o", "") == 2
    assert capfd.readouterr().err == "gaikan: --out: is empty; name a path\n"


def test_a_bundles_latency_goes_into_the_report(
    out: Path,
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(PLANS, "default", TINY)
    for precision, options in (("fp32", ()), ("int8", INT8)):
        bundle = exported(out, bundles, CNN, *options)
        table = tmp_path / f"{precision}.csv"
        assert gaikan("time", bundle, "--machine-name", "pi", "--threads", "1", "--out", table) == 0
        rows = read_rows(table)
        assert [(r.machine, r.variant, r.threads, r.batch_size) for r in rows] == [
            ("pi", CNN, 1, size) for size in (1, 3)
        ]
        for row in rows:
            assert (row.runtime, row.precision) == ("onnxruntime", precision)
            assert row.computation == "cnn-anchors"
            assert row.p50_ms is not None
            assert row.peak_rss_mb is not None
            assert row.model_bytes == len(Bundle.open(bundle).model)
            card = Bundle.open(bundle).card
            assert row.agreement == pytest.approx(card.parity["validation"]["agreement"])
            assert row.network == card.training["network"]
    tables = [option for p in ("fp32", "int8") for option in ("--latency", tmp_path / f"{p}.csv")]
    assert gaikan("report", out, *tables) == 0
    report = (out / "report.md").read_text()
    assert "### pi" in report
    assert "onnxruntime-int8" in report
    assert "own predictions on the test part" not in report  # a bundle has none
    capfd.readouterr()
    for option in (("--runtime", "torch-fp32"), ("--include-decode",)):
        assert gaikan("time", bundle, *option) == 2
        assert "a bundle is timed in its own runtime" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_bundle_is_not_replaced(
    kind: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration, say, whose name was typed instead of the bundle's."""
    there = tmp_path / "line.toml"
    there.mkdir() if kind == "folder" else there.write_text("[stage.line]")
    assert gaikan("export", out, "--variant", MLP, "--out", there) == 2
    assert f"--out {there}: is there already, and is no bundle" in capsys.readouterr().err
    assert kind == "folder" or there.read_text() == "[stage.line]"
