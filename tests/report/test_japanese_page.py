"""A page in Japanese has no English left but names, commands and units; also its pictures."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from japanese import english_in, seen_in_japanese
from picking import stages_in_english
from runner import bench, gaikan
from small_run import Fake, row

from gaikan.evaluation.error_counts import ALL_PARTS, ErrorCounts
from gaikan.language.words import Words, say
from gaikan.run_folder.curve_file import refuse_curve, write_curve
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.manifest import read_manifest

pytestmark = pytest.mark.timeout(300)

SIDE = 12
CLASSES = ("ok", "dent", "burr")
TOML = """
seeds = 1
references = "none"
unseen = true
[data]
train = "train.parquet"
test = "test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla"]
[timing]
enabled = false
[train]
epochs = 2
batch_size = 32
[factory]
defect_rate = 0.02
escape_cost = 100
overkill_cost = 1
escape_target = 0.001
"""
STAGES = """
[stage.line]
description = "組立の後"
escape_bound = { max = 0.9 }
[stage.asking]
escape_rate = { max = 1.0 }
overkill_rate = { max = 1.0 }
ask_rate = { max = 0.8 }
unseen_escape = { max = 0.4 }
[stage.never]
accuracy = { min = 1.0 }
p99_ms = { max = 0.0001 }
[stage.untimed]
threads = { min = 3 }
"""
# Names of variants, files, tools, methods and units, and of what this run is of.
NAMES = re.findall(
    "[a-z]+",
    """
    english again cnn triplet
    mlp vanilla head mean image embedding anchors arch line asking never untimed ok
    dent burr lot train test parquet onnxruntime onnx openvino torch fp int bf cuda cpu gpu pc some
    processor gaikan pip install run time export runtimes threads escape overkill bound rate ask
    max min accuracy ms gb mb mib gib gflop csv json toml picks labels predictions comparisons
    copies group good only reference unconfirmed clopper pearson student holm differs learn then
    bonferroni linux openvino python sha source references none shape
    """,
)


def write_table(path: Path, classes: tuple[str, ...], lots: int, seed: int) -> None:
    """Noise with a bright bar that makes the class, 12 parts a class and lot."""
    rng = np.random.default_rng(seed)
    label = np.tile(np.arange(len(classes)), 12 * lots)
    images = rng.integers(0, 140, (len(label), SIDE, SIDE), np.uint8)
    for image, each in zip(images, label, strict=True):
        image[3 * each : 3 * each + 2] += np.uint8(60)
    pixels = images.reshape(len(label), -1)
    columns = {f"data{i}": pixels[:, i] for i in range(pixels.shape[1])}
    told = {"label": label, "fmode": np.array(classes)[label]}
    lot = np.char.add(f"lot-{seed}-", np.sort(np.arange(len(label)) % lots).astype(str))
    pq.write_table(pa.table({**columns, **told, "group": lot}), path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of lots, with a mode that the test part lacks, and timed as if on a busy machine."""
    folder = tmp_path_factory.mktemp("ja")
    write_table(folder / "train.parquet", CLASSES, 8, 0)
    write_table(folder / "test.parquet", CLASSES[:2], 4, 1)
    (folder / "run.toml").write_text(TOML)
    out = folder / "run"
    assert bench(folder / "run.toml", "--out", out) == 0
    network = read_manifest(out).trained[0]
    settings: list[dict[str, Any]] = [
        {"network": network, "disturbed": 0.5},
        {"network": network, "disturbed": 0.5, "machine": "pc", "cores": 8},
        *({"p50_ms": None, "batch_size": 8 + i, "skipped": why} for i, why in enumerate(WHY)),
    ]
    rows = [
        row(Fake(variant, 1, {"onnxruntime-fp32": 0.05}), "onnxruntime-fp32", 1, **values)
        for variant in pd.read_csv(out / "summary.csv")["variant"]
        for values in settings
    ]
    write_rows(out / "latency.csv", rows)
    (folder / "stages.toml").write_text(STAGES)
    assert gaikan("pick", out, "--stages", folder / "stages.toml") == 1
    return out


WHY = (
    say("not_installed", package="openvino"),
    say("batch_too_slow", batch=8, seconds="3.1"),
    say("batch_too_large", batch=8, needed="9.1", allowed="4.0"),
)


def page_of(run: Path) -> list[str]:
    assert gaikan("report", run, "--lang", "ja") == 0
    return seen_in_japanese((run / "report.html").read_text())


def test_nothing_on_it_is_english(run: Path, tmp_path: Path) -> None:
    stages = stages_in_english(run)
    assert stages["line"]["warnings"]
    assert stages["asking"]["asking"] is not None
    assert stages["never"]["nearest_miss"] is not None
    assert stages["untimed"]["why"].startswith("not timed with")
    machine = read_manifest(run).machine
    told = " ".join([machine.processor, machine.system, *map(str, machine.packages)])
    names = {*NAMES, *re.findall("[a-z]{2,}", f"{told} {machine.commit}".lower())}
    for change in (_refused, _learned):
        copy = tmp_path / change.__name__
        shutil.copytree(run, copy)
        change(copy)
        folders = f"{re.escape(str(copy))}|{re.escape(str(run.parent))}"
        known = re.compile(rf"{folders}|\b[0-9a-f]{{32,}}\b")  # paths and fingerprints
        texts = [known.sub("", text) for text in page_of(copy)]
        assert english_in(texts, names) == {}


def _refused(run: Path) -> None:
    refuse_curve(run, say("too_few_lots", source="train.parquet", n=3, needed=8))


def _learned(run: Path) -> None:
    rows = [
        {"variant": "mlp-vanilla-head", "seed": 0, "images": images, "mode": mode}
        | {"parts": 100, "wrong": wrong}
        for images, wrong in ((50, 40), (100, 30), (200, 20))
        for mode in (ALL_PARTS, "dent")
    ]
    write_curve(run, ErrorCounts(pd.DataFrame(rows)))


def test_a_learning_curve_that_was_refused_says_so_on_the_page(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    assert gaikan("report", copy) == 0
    assert "No learning curve" not in (copy / "report.md").read_text()
    _refused(copy)
    assert gaikan("report", copy) == 0
    assert "No learning curve: train.parquet: 3 lots to learn" in (copy / "report.md").read_text()
    _learned(copy)
    assert gaikan("report", copy) == 0
    assert "No learning curve" not in (copy / "report.md").read_text()


def test_an_english_sentence_would_be_found() -> None:
    shown = '<p><span lang="en">a b</span><span lang="ja">警告 other work</span></p>'
    assert [*english_in(seen_in_japanese(shown), {"work"})] == ["other"]


def test_what_was_skipped_stands_there_in_both_languages(run: Path) -> None:
    assert gaikan("report", run) == 0
    page = (run / "report.html").read_text()
    for why in WHY:
        assert isinstance(why, Words)
        assert why.en in page
        assert why.ja in page
