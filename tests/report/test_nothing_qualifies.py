"""Next steps of a run at whose stages nothing qualifies."""

import json
from pathlib import Path

import pandas as pd
import pytest
from curves import counts
from picking import picked
from small_run import Fake, row, write_run

from gaikan.report.next_steps import next_steps
from gaikan.report.run_facts import NextStep, RunFacts
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.picks_file import read_picks

FAKE = Fake("mlp-triplet-mean_embedding", 1.0, {"onnxruntime-fp32": 2.0})
BLIND = Fake("mlp-triplet-mean_embedding", 0.0, {"onnxruntime-fp32": 2.0})
GOOD_ONLY_AT_CHANCE = "escape_rate = { max = 0.001 }\noverkill_rate = { max = 0.05 }\n"


def steps(out: Path, doubted: int | None = None, curve: bool = False) -> list[NextStep]:
    known = counts(600, 400, 240) if curve else None
    picks = read_picks(out / "picks.json")
    return next_steps(RunFacts(Path("my run"), picks, pd.DataFrame(), known, doubted, 1000))


def test_the_nearest_miss_says_what_it_misses_and_by_how_much(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", [FAKE], seeds=1)
    _, stages = picked(out, "[stage.fast]\np50_ms = { max = 0.5 }\n", tmp_path)
    (step,) = steps(out)
    assert stages["fast"]["pick"] is None
    assert "fast: nothing qualifies. Nearest is mlp-triplet-mean_embedding in" in step.words.en
    assert "it would qualify with p50 <= 2 ms instead of 0.5 ms" in step.words.en
    assert step.command == "gaikan pick 'my run' --stages 'my run/run.toml'"
    assert "p50 ≤ 2 ms" in step.words.ja


def test_labels_and_images_follow_with_their_figures(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", [FAKE], seeds=1)
    picked(out, "[stage.fast]\np50_ms = { max = 0.5 }\n", tmp_path)
    told = [step.words.en for step in steps(out, doubted=30, curve=True)]
    assert told[0].startswith("fast: nothing qualifies")
    assert any("30 doubted labels" in text for text in told[1:])
    assert any("Take more images" in text for text in told[1:])


@pytest.mark.parametrize(
    ("curve", "command"),
    [
        (False, "gaikan bench 'my run/run.toml' --learning-curve --out 'my run'"),
        (True, "gaikan labels 'my run'"),
    ],
)
def test_where_no_border_would_do_no_looser_limit_is_offered(
    curve: bool, command: str, tmp_path: Path
) -> None:
    out = write_run(tmp_path / "run", [BLIND], seeds=1)
    picked(out, f"[stage.strict]\n{GOOD_ONLY_AT_CHANCE}", tmp_path)
    step = steps(out, curve=curve)[0]
    assert "no border between good and defective makes it qualify: overkill rate" in step.words.en
    assert ", not <= 5 %" in step.words.en
    assert "instead of" not in step.words.en
    assert step.command == command


def test_a_runtime_that_would_do_is_told(tmp_path: Path) -> None:
    both = Fake(FAKE.variant, 1.0, {"onnxruntime-fp32": 2.0, "openvino-fp32": 0.2})
    out = write_run(tmp_path / "run", [both], seeds=1)
    picked(out, "[stage.fast]\np50_ms = { max = 0.5 }\n", tmp_path)
    nearest, other = steps(out)
    assert "nothing qualifies" in nearest.words.en
    assert "would qualify, accuracy" in other.words.en
    assert 'runtimes = ["openvino-fp32"]' in other.words.en


def test_what_was_not_timed_is_to_be_timed(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", [FAKE], seeds=1)
    write_rows(out / "latency.csv", [row(FAKE, "onnxruntime-fp32", 2)])
    picked(out, "[stage.one]\nthreads = { max = 1 }\n", tmp_path)
    (step,) = steps(out)
    assert step.command == "gaikan time 'my run' --threads 1 --threads 2"


def test_the_screen_and_the_card_say_that_no_border_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_run(tmp_path / "run", [BLIND], seeds=1)
    picked(out, f"[stage.strict]\n{GOOD_ONLY_AT_CHANCE}", tmp_path)
    shown = " ".join(capsys.readouterr().out.split())
    assert "and no border between good and defective makes it qualify: overkill rate" in shown
    assert "Note: no border between good and defective" in (out / "picks.md").read_text()
    miss = json.loads((out / "picks.json").read_bytes())["stages"]["strict"]["nearest_miss"]
    assert miss["would_have_to_give"] == []
