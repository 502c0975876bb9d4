"""Whatever decides, an anchor, a head, or a network that others trained, asking is the same."""

import json
from pathlib import Path

import pandas as pd
import pytest
from runner import bench, gaikan
from small_run import Fake, row
from tiny import write_class
from tiny_backbone import write_backbone

from gaikan.run_folder.latency_rows import write_rows

CONFIG = """
seeds = 1
references = "none"
unseen = {unseen}
[data]
train = "{folder}/train"
test = "{folder}/test"
ok = "ok"
[grid]
arch = {archs}
style = ["vanilla"]
anchor = ["mean_embedding"]
[network.tiny]
onnx = "{folder}/backbone.onnx"
[timing]
enabled = false
[train]
epochs = 2
batch_size = 16
"""
STAGE = "[stage.line]\nask_rate = { max = 0.3 }\n"


def timed(run: Path, *variants: str) -> None:
    fakes = [Fake(variant, 0, {"onnxruntime-fp32": 0.1}) for variant in variants]
    write_rows(run / "latency.csv", [row(each, "onnxruntime-fp32", 1) for each in fakes])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asking")
    for part, count in (("train", 40), ("test", 30)):
        for place, name in enumerate(("ok", "open", "spur")):
            write_class(path / part / name, 3 * place, count, seed=count, contrast=30)
    write_backbone(path / "backbone.onnx")
    text = CONFIG.format(folder=path, unseen="false", archs=["tiny", "mlp"])
    (path / "line.toml").write_text(text)
    assert bench(path / "line.toml", "--out", path / "run") == 0
    (path / "stages.toml").write_text(STAGE)
    return path


@pytest.mark.parametrize(
    "variant",
    [
        f"{name}-{by}"
        for name in ("mlp-vanilla", "tiny-frozen")
        for by in ("head", "mean_embedding")
    ],
)
def test_the_bundle_asks_about_what_the_run_says(
    variant: str, folder: Path, tmp_path: Path
) -> None:
    run, bundle = folder / "run", tmp_path / "line.gaikan"
    timed(run, variant)
    assert gaikan("pick", run, "--stages", folder / "stages.toml") == 0
    pick = json.loads((run / "picks.json").read_bytes())["stages"]["line"]["pick"]
    assert pick["variant"] == variant
    assert 0 < pick["ask_level"] <= 1
    assert gaikan("export", run, "--stage", "line", "--out", bundle) == 0
    assert gaikan("predict", bundle, folder / "test", "--csv", tmp_path / "said.csv") == 0
    said = pd.read_csv(tmp_path / "said.csv").sort_values("image", ignore_index=True)
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'test'")
    own = table[table["variant"] == variant].sort_values("origin", ignore_index=True)
    assert [Path(image).name for image in said["image"]] == [Path(o).name for o in own["origin"]]
    asked = (own["predicted"] == "ok") & (own["novelty_p"] <= pick["ask_level"])
    assert ((said["verdict"] == "ask") == asked).all()
    assert asked.sum() == pick["test"]["good_asks"] + pick["test"]["defect_asks"] > 0


def test_with_one_lot_in_validation_it_says_that_nobody_is_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, name in enumerate(("ok", "open", "spur")):
        for lot in range(2):
            write_class(tmp_path / "train" / name / f"lot{lot}", 3 * place, 20, lot, contrast=60)
    (tmp_path / "test").symlink_to(folder / "test")
    (tmp_path / "backbone.onnx").symlink_to(folder / "backbone.onnx")
    text = CONFIG.format(folder=tmp_path, unseen="true", archs=["mlp"])
    (tmp_path / "line.toml").write_text(text + STAGE)
    run = tmp_path / "run"
    assert bench(tmp_path / "line.toml", "--out", run) == 0
    assert "The networks asked about no part at all" in " ".join(capsys.readouterr().out.split())
    timed(run, "mlp-vanilla-head")
    assert gaikan("pick", run) == 0
    words = "nobody is asked: validation has one lot alone"
    assert f"line: warning: {words}" in " ".join(capsys.readouterr().out.split())
    stage = json.loads((run / "picks.json").read_bytes())["stages"]["line"]
    assert stage["pick"]["ask_level"] == stage["pick"]["test"]["good_asks"] == 0
    assert gaikan("report", run) == 0
    page = (run / "report.md").read_text()
    assert words in page
    assert "The networks asked about no part at all" in page


def test_where_no_level_asks_so_few_it_says_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed(folder / "run", "mlp-vanilla-head")
    (tmp_path / "stages.toml").write_text("[stage.line]\nask_rate = { max = 0.001 }\n")
    assert gaikan("pick", folder / "run", "--stages", tmp_path / "stages.toml") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "nobody is asked: no level asks about at most 0.1 % of the 16 good validation" in said
