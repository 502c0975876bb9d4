"""From a trained run to a pick to a bundle that decides as the pick was judged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runner import bench, gaikan
from small_parts import write_labelled_table
from small_run import Fake, row

from gaikan.bundle.bundle import Bundle
from gaikan.language.words import packed, say
from gaikan.run_folder.latency_rows import write_rows

CONFIG = """
seeds = 1
references = "none"
pictures = false
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla"]
[timing]
enabled = false
[train]
epochs = 2
batch_size = 32
[stage.line]
escape_bound = {{ max = 0.2 }}
recall = {{ spur = {{ min = 0.1 }} }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained, with a latency table of its variants."""
    path = tmp_path_factory.mktemp("picked")
    write_labelled_table(path / "train.parquet", 300, 0)
    write_labelled_table(path / "test.parquet", 90, 1)
    (path / "line.toml").write_text(CONFIG.format(folder=path))
    assert bench(path / "line.toml", "--out", path / "run") == 0
    variants = pd.read_csv(path / "run/accuracy.csv")["variant"].unique()
    fakes = [Fake(variant, 0, {"onnxruntime-fp32": 0.1}) for variant in variants]
    write_rows(path / "run/latency.csv", [row(each, "onnxruntime-fp32", 1) for each in fakes])
    return path


def picks_of(run: Path, limits: str, tmp_path: Path) -> Any:
    """What `picks.json` says once the stage `line` has been picked anew with these limits."""
    (tmp_path / "stages.toml").write_text(f"[stage.line]\n{limits}\n")
    assert gaikan("pick", run, "--stages", tmp_path / "stages.toml") == 0
    return json.loads((run / "picks.json").read_bytes())


def test_a_bundle_of_a_pick_decides_as_the_pick_was_judged(folder: Path) -> None:
    run, bundle = folder / "run", folder / "line.gaikan"
    assert gaikan("pick", run) == 0
    pick = json.loads((run / "picks.json").read_bytes())["stages"]["line"]["pick"]
    assert gaikan("export", run, "--stage", "line", "--out", bundle) == 0
    card = Bundle.open(bundle).card
    assert (card.stage, card.variant, card.seed) == ("line", pick["variant"], pick["seed"])
    assert card.threshold == pick["threshold"]
    assert card.unconfirmed is None
    assert gaikan("predict", bundle, folder / "test.parquet", "--csv", folder / "said.csv") == 0
    said = pd.read_csv(folder / "said.csv")
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'test'")
    own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
    expected = np.where(own["ok_margin"] > card.threshold, "ok", own["defect"].astype(str))
    label = said.columns[1]
    assert said[label].tolist() == expected.tolist()
    assert said[label].tolist() != own["predicted"].tolist()  # the threshold changes something
    right = said[label].to_numpy() == own["label"].astype(str).to_numpy()
    assert pick["test"]["accuracy"] == pytest.approx(right.mean())


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_bundle_asks_about_the_parts_that_the_pick_was_judged_by(
    precision: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, bundle = folder / "run", tmp_path / "line.gaikan"
    limits = "ask_rate = { max = 0.1 }\nescape_rate = { max = 1 }\n"
    pick = picks_of(run, limits, tmp_path)["stages"]["line"]["pick"]
    assert 0 < pick["validation"]["ask_rate"] <= 0.1
    asked = ("export", run, "--stage", "line", "--precision", precision, "--allow-drop")
    assert gaikan(*asked, "--out", bundle) == 0
    card, expected = Bundle.open(bundle).card, pick["test"]
    assert card.ask_level == pick["ask_level"]
    asks = expected["good_asks"] + expected["defect_asks"]
    assert card.metrics["test"]["asked"] == asks
    assert card.metrics["test"]["escapes"] == expected["escapes"]
    assert gaikan("predict", bundle, folder / "test.parquet", "--csv", tmp_path / "said.csv") == 0
    n_asked = (pd.read_csv(tmp_path / "said.csv")["verdict"] == "ask").sum()
    assert n_asked == pytest.approx(asks, abs=0 if precision == "fp32" else 5)
    capsys.readouterr()
    assert gaikan(*asked, "--refit", "--out", tmp_path / "refit.gaikan") == 2
    assert "how new a part looks can only be told by parts" in capsys.readouterr().err


@pytest.mark.parametrize("runtime", ["torch-fp32", "openvino-bf16"])
def test_a_pick_that_no_bundle_can_hold_says_what_to_do(
    runtime: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, bundle = folder / "run", tmp_path / "line.gaikan"
    text = (run / "latency.csv").read_text()
    assert "onnxruntime,fp32," in text
    other = text.replace("onnxruntime,fp32,", ",".join(runtime.split("-")) + ",")
    (run / "latency.csv").write_text(other)
    picks_of(run, f'runtimes = ["{runtime}"]', tmp_path)
    (run / "latency.csv").write_text(text)
    capsys.readouterr()
    asked = ("export", run, "--stage", "line", "--out", bundle)
    assert gaikan(*asked) == 2
    said = capsys.readouterr().err
    assert f"picked in {runtime.replace('-', ' ')}, which no bundle holds; --runtime onnx" in said
    assert not bundle.exists()
    assert gaikan(*asked, "--runtime", "onnx", "--precision", "fp32") == 0


def test_a_pick_that_test_contradicts_is_not_exported_in_silence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, bundle = folder / "run", tmp_path / "line.gaikan"
    picks = picks_of(run, "escape_rate = { max = 1 }", tmp_path)
    assert picks["stages"]["line"]["contradicted"] is None
    seen = say("seen_on_test", escapes=9, defects=60, rate="15 %")
    figures = {"ceiling": "1 %", "least": "8 %", "level": "95 %"}
    refuted = say("refuted", seen=seen, **figures)
    picks["stages"]["line"]["contradicted"] = json.loads(packed(refuted))
    words = refuted.en
    assert words.startswith("test contradicts the escape ceiling of 1 %: 9 of 60 defective test")
    (run / "picks.json").write_text(json.dumps(picks))
    capsys.readouterr()
    asked = ("export", run, "--stage", "line", "--out", bundle)
    assert gaikan(*asked) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"'line': {words}; --unconfirmed exports it all the same" in said
    assert not bundle.exists()
    assert gaikan(*asked, "--unconfirmed") == 0
    assert Bundle.open(bundle).card.unconfirmed == words


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("0.15", "does not keep the limits of stage 'line'; it misses: p50 0.2 ms, not <= 0.15 ms"),
        (
            "0.05",
            "nothing qualified for stage 'line', so installing this network there is your own",
        ),
        ("1", ""),
    ],
)
def test_a_network_that_misses_a_limit_of_a_stage_is_exported_with_a_caution(
    limit: str, said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = folder / "run"
    text = (run / "latency.csv").read_text()
    variants = pd.read_csv(run / "latency.csv")["variant"].tolist()
    slow = next(name for name in variants if not name.endswith("head"))
    fakes = [Fake(name, 0, {"onnxruntime-fp32": 0.1 + 0.1 * (name == slow)}) for name in variants]
    write_rows(run / "latency.csv", [row(each, "onnxruntime-fp32", 1) for each in fakes])
    (tmp_path / "stages.toml").write_text(f"[stage.line]\np50_ms = {{ max = {limit} }}\n")
    assert gaikan("pick", run, "--stages", tmp_path / "stages.toml") == (limit == "0.05")
    (run / "latency.csv").write_text(text)
    capsys.readouterr()
    assert gaikan("export", run, "--variant", slow, "--out", tmp_path / "line.gaikan") == 0
    cautions = [line for line in capsys.readouterr().out.splitlines() if "Caution: " in line]
    assert len(cautions) == bool(said)
    assert said in " ".join(cautions)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("escape_bound = { max = 0.2 }", "was judged so: ok margin above "),
        ("ask_rate = { max = 0.1 }\nescape_rate = { max = 1 }", "or less asked about. This file"),
    ],
)
def test_a_network_that_keeps_a_limit_by_a_border_of_the_stage_is_exported_with_a_caution(
    limits: str, said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = folder / "run", tmp_path / "line.gaikan"
    pick = picks_of(run, limits, tmp_path)["stages"]["line"]["pick"]
    asked = ("--variant", pick["variant"], "--seed", pick["seed"])
    capsys.readouterr()
    assert gaikan("export", run, *asked, "--out", out) == 0
    (caution,) = (line for line in capsys.readouterr().out.splitlines() if "Caution: " in line)
    assert said in caution
    assert gaikan("export", run, "--stage", "line", "--out", out) == 0
    assert "Caution: " not in capsys.readouterr().out


def test_nothing_is_said_of_a_pick_whose_border_was_set_by_other_lots_than_chose_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = folder / "run", tmp_path / "line.gaikan"
    picks = picks_of(run, "escape_bound = { max = 0.2 }", tmp_path)
    for candidate in picks["stages"]["line"]["candidates"]:
        candidate["threshold"] = 0.125
    (run / "picks.json").write_text(json.dumps(picks))
    capsys.readouterr()
    assert gaikan("export", run, "--stage", "line", "--out", out) == 0
    assert "Caution: " not in capsys.readouterr().out


def test_a_pick_in_openvino_is_exported_as_it_was_picked(folder: Path, tmp_path: Path) -> None:
    run = folder / "run"
    text = (run / "latency.csv").read_text()
    (run / "latency.csv").write_text(text.replace("onnxruntime,fp32,", "openvino,int8,"))
    picks_of(run, 'runtimes = ["openvino-int8"]', tmp_path)
    (run / "latency.csv").write_text(text)
    asked = ("export", run, "--stage", "line", "--allow-drop", "--out", tmp_path / "line.gaikan")
    assert gaikan(*asked) == 0
    card = Bundle.open(tmp_path / "line.gaikan").card
    assert (card.runtime, card.precision) == ("openvino", "int8")


def test_a_stage_that_the_data_cannot_answer_is_refused_before_training(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "line.toml").read_text()
    (folder / "bad.toml").write_text(text.replace("recall = { spur", "recall = { gap"))
    assert bench(folder / "bad.toml", "--out", folder / "bad") == 2
    assert "'stage.line.recall': no failure mode or class 'gap'" in capsys.readouterr().err
    assert not (folder / "bad").exists()


def test_the_nearest_miss_is_cautioned_of_by_the_figures_that_the_pick_gives(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of `candidates` are by the lots that chose, which may be few."""
    run, out = folder / "run", tmp_path / "line.gaikan"
    (tmp_path / "stages.toml").write_text("[stage.line]\naccuracy = { min = 1.0 }\n")
    assert gaikan("pick", run, "--stages", tmp_path / "stages.toml") == 1
    picks = json.loads((run / "picks.json").read_bytes())
    miss = picks["stages"]["line"]["nearest_miss"]
    for candidate in picks["stages"]["line"]["candidates"]:
        candidate["values"]["accuracy"] = 0.125
    (run / "picks.json").write_text(json.dumps(picks))
    capsys.readouterr()
    asked = ("--variant", miss["variant"], "--seed", miss["seed"])
    assert gaikan("export", run, *map(str, asked), "--out", out) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "nothing qualified for stage 'line'" in said
    assert "12.5 %" not in said
    (check,) = (each for each in miss["checks"] if each["constraint"] == "accuracy")
    assert f"accuracy {100 * check['value']:.3g} %, not" in said
