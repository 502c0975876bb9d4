"""`gaikan pick`: files in, files out, and how it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from picking import picked
from runner import gaikan
from small_run import Fake, row, write_run

from gaikan.commands.bench import pick_after_bench
from gaikan.config.toml_files import load_config
from gaikan.report.markdown_table import inline
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.picks_file import read_picks
from gaikan.selection.asked import DEFAULTS


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def test_the_default_stages_get_different_variants(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert gaikan("pick", run) == 0
    stages = json.loads((run / "picks.json").read_bytes())["stages"]
    assert stages["intermediate"]["pick"]["variant"].startswith("mlp-")
    assert stages["final"]["pick"]["variant"].startswith("cnn-")
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    head = lines.index("")
    stages_told = [line.split(":")[0] for line in lines[:head] if ": install " in line]
    assert stages_told == ["intermediate", "final"]
    assert lines[head + 1].split()[:2] == ["stage", "on"]
    assert max(map(len, lines[: head + 6])) <= 80
    for stage in stages.values():
        assert stage["pick"]["variant"] in shown
        assert stage["pick"]["variant"] in (run / "picks.md").read_text()


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        ("threads = { max = 1 }", "with 1 thread: `gaikan time RUN --threads 1 --threads 2`"),
        ("threads = { min = 3 }", "at least 3 threads: `gaikan time RUN --threads 2 --threads 3`"),
        ("p99_ms = { max = 5 }", "p99 was not measured: `gaikan time RUN`"),
        ("", "not timed in onnxruntime-fp32 or onnxruntime-int8: `gaikan time RUN`"),
    ],
)
def test_what_the_timing_cannot_judge_is_told_with_the_command(
    stage: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-fp32": 2.0, "torch-fp32": 3.0})
    out = write_run(tmp_path / "run", [fake])
    label = "onnxruntime-fp32" if stage else "torch-fp32"
    write_rows(out / "latency.csv", [row(fake, label, 2, p99_ms=None)])
    code, stages = picked(out, f"[stage.own]\n{stage}\n", tmp_path)
    assert (code, stages["own"]["pick"], stages["own"]["nearest_miss"]) == (1, None, None)
    assert stages["own"]["why"].endswith(why)
    assert "instead of" not in stages["own"]["why"]
    assert why in " ".join(capsys.readouterr().out.split())
    page = (out / "picks.md").read_text()
    assert "**Stage: own: Nothing qualifies**" in page
    assert f"{inline(stages['own']['why'])[1:]}.**" in page


def test_without_a_good_class_the_default_stages_limit_no_escapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_run(tmp_path / "run", ok=None)
    assert gaikan("pick", out) == 0
    assert "at most" not in capsys.readouterr().out
    picks = read_picks(out / "picks.json")
    assert picks is not None
    for stage in picks.stages.values():
        assert stage.pick is not None
        assert stage.pick.test.escapes is None
        assert stage.pick.threshold is None
        assert stage.promise is None
        assert "escape_bound" not in [each.name for each in stage.constraints]


def test_the_stages_of_a_configuration_of_several_data_sets_serve_too(
    run: Path, tmp_path: Path
) -> None:
    several = '[[data]]\nname = "a"\n[[data]]\nname = "b"\n[stage.own]\n'
    code, stages = picked(run, several, tmp_path)
    assert (code, [*stages]) == (0, ["own"])


def test_a_runs_own_stages_come_before_the_default_ones(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", config={"stage": {"only": {"objective": "latency"}}})
    assert gaikan("pick", out) == 0
    assert [*json.loads((out / "picks.json").read_bytes())["stages"]] == ["only"]
    assert [path.name for path in (out / "figures").glob("sensitivity-*")] == [
        "sensitivity-only.svg"
    ]


def test_the_file_in_bench_is_the_default() -> None:
    assert load_config(Path(__file__).parents[2] / "bench/stages.toml", {}).stage == DEFAULTS


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ("[stage.a]\np99ms = { max = 3 }", "unknown key 'stage.a.p99ms'; did you mean 'p99_ms'?"),
        ("[stage.a]\np99_ms = 3", "key 'stage.a.p99_ms': a limit is a table such as { max = 5 }"),
        ("[stage.a]\np99_ms = { max = -3 }", "key 'stage.a.p99_ms.max'"),
        ("[stage.a]\np99_ms = { most = 3 }", "unknown key 'stage.a.p99_ms.most'; known keys: min"),
        ("[stage.a]\np99_ms = {}", "key 'stage.a.p99_ms': neither min nor max"),
        ("[stage.a]\np99_ms = { min = 3, max = 2 }", "min 3 exceeds max 2"),
        ("[stage.a]\nescape_rate = { max = 1.5 }", "key 'stage.a.escape_rate.max'"),
        ("[stage.a]\nrecall = { spur = { min = 2 } }", "key 'stage.a.recall.spur.min'"),
        ("[stage.a]\nrecall = { gap = { min = 0.9 } }", "no failure mode or class 'gap'; there"),
        ("[stage.a]\nobjective = 'speed'", "key 'stage.a.objective'"),
        ("[stage.a]\nobjective = 'cost'", "a cost needs [factory]"),
        ("[stage.a]\ndevice = 'tpu'", "key 'stage.a.device'"),
        ("[stage.a]\nmachine = 'pi'", "no timed machine 'pi'; there are line-pc"),
        ("[stage.a]\nruntimes = ['onnx']", "no runtime 'onnx'; there are torch-fp32"),
        ("[stage.a]\nbatch_size = 7", "not timed at 7, only at 1\n"),
        ("[stage.a]\nbatch_size = 8", "at 8, only at 1; `gaikan time RUN` times 1, 8, 64, 256"),
        ("[stage.'a/b']\n", "a stage's name is letters"),
        ("[stages.a]\n", "unknown key 'stages'; did you mean 'stage'?"),
        ("seeds = 2\n", "no [stage.NAME] in it"),
        ("[stage.a\n", "not a TOML file"),
    ],
)
def test_a_bad_stage_file_is_one_line_and_exit_code_2(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], stages: str, words: str
) -> None:
    (tmp_path / "bad.toml").write_text(stages)
    assert gaikan("pick", run, "--stages", tmp_path / "bad.toml") == 2
    error = capsys.readouterr().err
    assert words in error
    assert "bad.toml" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("manifest.json", None, "no run folder"),
        ("manifest.json", "[]", "key '(all of it)': input should be an object; run `gaikan bench`"),
        ("latency.csv", None, "not timed (no latency.csv); `gaikan time"),
        ("latency.csv", "variant\n", "column 'machine' is missing"),
        ("latency.json", '{"networks": ["other"]}', "timed on other networks"),
        ("predictions.parquet", None, "cannot be read"),
        ("predictions.parquet", "PAR1", "cannot be read"),
    ],
)
def test_a_run_that_lacks_something_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, words: str
) -> None:
    out = write_run(tmp_path, seeds=1, parts=20)
    (out / name).unlink(missing_ok=True)
    if content is not None:
        (out / name).write_text(content)
    assert gaikan("pick", out) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (out / "picks.json").exists()


def test_a_table_of_an_older_run_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_run(tmp_path, seeds=1, parts=20)
    pd.read_parquet(out / "predictions.parquet").drop(columns="defect").to_parquet(
        out / "predictions.parquet"
    )
    assert gaikan("pick", out) == 2
    assert "column 'defect' is missing; run `gaikan bench`" in capsys.readouterr().err


def test_the_same_files_give_the_same_picks(run: Path) -> None:
    names = ("picks.json", "picks.md", "figures/tree.svg", "figures/sensitivity-final.svg")
    gaikan("pick", run)
    before = [(run / name).read_bytes() for name in names]
    gaikan("pick", run)
    assert [(run / name).read_bytes() for name in names] == before


def test_picking_imports_nothing_slow(run: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gaikan.flow.pick_run import pick_run;"
        f"pick_run(Path({str(run)!r}));"
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_at_the_end_of_a_run_what_cannot_be_picked_is_told_and_undoes_nothing(
    tmp_path: Path,
) -> None:
    out = write_run(tmp_path, config={"stage": {"bulk": {"batch_size": 64}}})
    told = pick_after_bench(out)
    assert told.startswith("nothing picked: ")
    assert "key 'stage.bulk.batch_size': not timed at 64, only at 1" in told


def test_without_a_good_class_the_table_has_no_escapes_and_nothing_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_run(tmp_path / "run", ok=None)
    assert gaikan("pick", out) == 0
    lines = capsys.readouterr().out.splitlines()
    head = lines.index("") + 1
    assert lines[head].split("  ")[0] == "stage"
    assert "right on validation" in lines[head]
    assert [len(line.split()) for line in lines[head + 1 : head + 3]] == [5, 5]
    said = [line for line in lines if "escape" in line.lower()]
    assert said == ["No class means good: with --ok CLASS, escapes would be counted and limited."]
