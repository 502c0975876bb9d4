"""`gaikan pick`: files in, files out, and how it refuses."""

import json
import subprocess
import sys
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from runner import gaikan
from scipy.stats import binomtest
from small_run import FAKES, Fake, row, write_run

from gaikan.commands.pick import pick_after_bench
from gaikan.config.toml_files import load_config
from gaikan.report.markdown_table import inline
from gaikan.run_folder.decisions import _column
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.picks_file import read_picks
from gaikan.run_folder.predictions import read_predictions
from gaikan.selection.asked import DEFAULTS

Json = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def picked(run: Path, stages: str, tmp_path: Path) -> tuple[int, Json]:
    (tmp_path / "stages.toml").write_text(stages)
    code = gaikan("pick", run, "--stages", tmp_path / "stages.toml")
    return code, json.loads((run / "picks.json").read_bytes())["stages"]


def with_margins(table: pd.DataFrame, margins: "pd.Series[float]") -> pd.DataFrame:
    """Predictions with other ok margins, and the classes that the nearest anchor then gives."""
    nearest = table["defect"].astype(str).mask(margins > 0, "ok").astype("category")
    return table.assign(ok_margin=margins, predicted=nearest)


def test_the_default_stages_get_different_variants(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gaikan("pick", run) == 0
    stages = json.loads((run / "picks.json").read_bytes())["stages"]
    assert stages["intermediate"]["pick"]["variant"].startswith("mlp-")
    assert stages["final"]["pick"]["variant"].startswith("cnn-")
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:5])) <= 80
    for stage in stages.values():
        assert stage["pick"]["variant"] in shown
        assert stage["pick"]["variant"] in (run / "picks.md").read_text()


def test_the_figures_are_those_of_the_predictions_at_the_threshold(run: Path) -> None:
    gaikan("pick", run)
    table = pd.read_parquet(run / "predictions.parquet").astype({"predicted": str, "defect": str})
    for stage in json.loads((run / "picks.json").read_bytes())["stages"].values():
        pick = stage["pick"]
        own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
        for split in ("validation", "test"):
            part, figures = own[own["split"] == split], pick[split]
            border = pick["threshold"] or 0.0  # null: the nearest anchor's, where the margin is 0
            said = np.where(part["ok_margin"] > border, "ok", part["defect"])
            defective = (part["label"] != "ok").to_numpy()
            assert figures["accuracy"] == pytest.approx((said == part["label"].astype(str)).mean())
            assert figures["escapes"] == (said[defective] == "ok").sum()
            assert figures["overkills"] == (said[~defective] != "ok").sum()
            networks = (
                1 if split == "test" else table[["variant", "seed"]].drop_duplicates().shape[0]
            )
            bound = binomtest(figures["escapes"], figures["defects"], alternative="less")
            assert figures["escape_bound"] == pytest.approx(
                bound.proportion_ci(1 - 0.05 / networks).high
            )
        ceiling = next(c for c in pick["checks"] if c["constraint"] == "escape_bound")
        assert ceiling["value"] == pick["validation"]["escape_bound"] <= ceiling["max"]
        assert ceiling["test"] == pick["test"]["escape_bound"]


def test_of_six_lots_the_figures_are_of_those_that_had_no_part_in_the_choice(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path / "run", lots=6)
    _, stages = picked(run, "[stage.any]\nescape_bound = { max = 0.2 }\n", tmp_path)
    pick, promise = stages["any"]["pick"], stages["any"]["promise"]
    assert promise["lots"] == 4
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'validation'")
    own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
    sizes = own["group"].value_counts()
    pairs = [sizes.sum() - sizes[a] - sizes[b] for a, b in combinations(sizes.index, 2)]
    assert pick["validation"]["n"] in pairs
    assert pick["validation"]["escape_bound"] <= 0.2
    assert "shown by 4 lots" in (run / "picks.md").read_text()


def test_every_candidate_is_there_with_every_constraint(run: Path) -> None:
    gaikan("pick", run)
    for stage in json.loads((run / "picks.json").read_bytes())["stages"].values():
        names = [constraint["name"] for constraint in stage["constraints"]]
        assert len(stage["candidates"]) == 2 * len(FAKES)  # each in ONNX Runtime
        for candidate in stage["candidates"]:
            assert [*candidate["values"]] == names
            assert candidate["qualifies"] == (not candidate["failed"])


def test_without_a_pick_the_nearest_miss_says_what_would_have_to_give(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = "[stage.fast]\np99_ms = { max = 0.12 }\naccuracy = { min = 0.8 }\n"
    fast += "escape_bound = { max = 0.5 }\n"
    code, stages = picked(run, fast, tmp_path)
    assert code == 1
    assert stages["fast"]["pick"] is None
    miss = stages["fast"]["nearest_miss"]
    assert stages["fast"]["promise"] is None
    assert miss["would_have_to_give"] == ["p99 <= 0.15 ms instead of 0.12 ms"]
    assert "p99 <= 0.15 ms instead of 0.12 ms" in capsys.readouterr().out.replace("\n", " ")
    code, stages = picked(run, fast.replace("0.12", "0.15"), tmp_path)
    assert code == 0
    assert stages["fast"]["pick"]["variant"] == miss["variant"]


def test_a_pick_that_test_does_not_bear_out_is_warned_of(run: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    worse = (table["split"] == "test") & (table["label"] != "ok")
    table = with_margins(table, table["ok_margin"].mask(worse, table["ok_margin"] + 5))
    changed = write_run(tmp_path / "run")
    table.to_parquet(changed / "predictions.parquet")
    assert gaikan("pick", changed) == 0
    for stage in json.loads((changed / "picks.json").read_bytes())["stages"].values():
        escapes, defects = stage["pick"]["test"]["escapes"], stage["pick"]["test"]["defects"]
        least = binomtest(escapes, defects, alternative="greater").proportion_ci(0.95).low
        (ceiling,) = (c["max"] for c in stage["constraints"] if c["name"] == "escape_bound")
        assert least > ceiling
        assert f"{escapes} of {defects} defective test parts escape" in stage["contradicted"]
        assert any(stage["contradicted"] in warning for warning in stage["warnings"])
    assert "- **Warning: test contradicts the" in (changed / "picks.md").read_text()
    gaikan("pick", run)
    stages = json.loads((run / "picks.json").read_bytes())["stages"]
    assert [stage["contradicted"] for stage in stages.values()] == [None, None]


def test_a_pick_that_rejects_most_good_parts_is_warned_of(run: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    good = (table["split"] == "validation") & (table["label"] == "ok")
    table = with_margins(table, table["ok_margin"].mask(good, table["ok_margin"].min() - 1))
    changed = write_run(tmp_path / "run")
    table.to_parquet(changed / "predictions.parquet")
    ceiling = "[stage.any]\nescape_bound = { max = 0.2 }\n"
    _, stages = picked(changed, ceiling, tmp_path)
    warning = "rejects 100 % of the good validation parts; limit overkill_rate to rule that out"
    assert warning in stages["any"]["warnings"]
    _, stages = picked(run, ceiling, tmp_path)
    assert not any("good validation parts" in each for each in stages["any"]["warnings"])


def test_a_runtime_that_disagrees_is_not_picked_silently(tmp_path: Path) -> None:
    good = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-fp32": 2.0})
    stage = "[stage.any]\nescape_bound = { max = 0.1 }\n"
    for agreement, expected in ((0.9, "fp32"), (None, "fp32"), (1.0, "int8")):
        fast = Fake(good.variant, 3.0, {"onnxruntime-int8": 0.1}, agreement=agreement)
        out = write_run(tmp_path / str(agreement), [good])
        more = write_run(tmp_path / "fast", [fast])
        lines = (more / "latency.csv").read_text().splitlines()[1:]
        (out / "latency.csv").write_text((out / "latency.csv").read_text() + "\n".join(lines))
        _, stages = picked(out, stage, tmp_path)
        assert stages["any"]["pick"]["precision"] == expected


def test_a_runtimes_disagreement_is_charged_to_the_escape_ceiling(tmp_path: Path) -> None:
    fake = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-int8": 0.1}, agreement=0.995)
    out = write_run(tmp_path / "run", [fake], seeds=1)
    _, stages = picked(out, "[stage.any]\nescape_bound = { max = 0.05 }\n", tmp_path)
    (check,) = (c for c in stages["any"]["pick"]["checks"] if c["constraint"] == "escape_bound")
    figures = stages["any"]["pick"]["validation"]
    charged = figures["escape_bound"] + 0.005 * figures["n"] / figures["defects"]
    assert check["value"] == pytest.approx(charged)
    assert check["value"] <= 0.05


SPEEDS = {"onnxruntime-fp32": 2.0, "openvino-int8": 0.5, "torch-bf16": 0.7, "torch-fp16-cuda": 0.6}


def of_speeds(out: Path, **speeds: float) -> Path:
    """A run of one variant, timed in these runtimes (label with _ for -: ms)."""
    own = {label.replace("_", "-"): ms for label, ms in speeds.items()}
    return write_run(out, [Fake("mlp-triplet-mean_embedding", 3.0, own or SPEEDS)], seeds=1)


def test_what_the_base_install_does_not_run_is_not_picked_and_its_gain_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = of_speeds(tmp_path / "run")
    _, stages = picked(out, "[stage.any]\n", tmp_path)
    pick, beyond = stages["any"]["pick"], stages["any"]["beyond"]
    assert (pick["runtime"], pick["timing"]["p50_ms"]) == ("onnxruntime", 2.0)
    assert pick["bundle"] == {"runtime": "onnx", "precision": "fp32", "needs": "pip install gaikan"}
    assert {each["runtime"] for each in stages["any"]["candidates"]} == {"onnxruntime"}
    assert "openvino-int8, 1 thread, accuracy" in beyond
    assert "p50 0.5 ms instead of 2 ms" in beyond
    assert "needs `pip install 'gaikan[runtimes]'`" in beyond
    assert beyond in " ".join(capsys.readouterr().out.split())
    assert inline(beyond[1:]) in (out / "picks.md").read_text()
    assert "in onnx fp32, needs pip install gaikan\n" in (out / "picks.md").read_text()
    slow = of_speeds(tmp_path / "slow", onnxruntime_fp32=2.0, openvino_int8=2.5)
    _, stages = picked(slow, "[stage.any]\n", tmp_path)
    assert stages["any"]["beyond"] is None


def test_the_gain_is_told_too_where_the_base_install_has_nothing_that_qualifies(
    tmp_path: Path,
) -> None:
    out = of_speeds(tmp_path / "run")
    code, stages = picked(out, "[stage.fast]\np50_ms = { max = 1 }\n", tmp_path)
    assert (code, stages["fast"]["pick"]) == (1, None)
    miss = stages["fast"]["nearest_miss"]
    assert miss["would_have_to_give"] == ["p50 <= 2 ms instead of 1 ms"]
    assert "mlp-triplet-mean_embedding in openvino-int8, 1 thread would" in stages["fast"]["beyond"]


@pytest.mark.parametrize(
    ("stage", "runtime", "bundle", "words"),
    [
        (
            'runtimes = ["openvino-int8"]',
            "openvino",
            {"runtime": "openvino", "precision": "int8", "needs": "pip install 'gaikan[runtimes]'"},
            "its bundle (openvino int8) needs `pip install 'gaikan[runtimes]'`",
        ),
        ('runtimes = ["torch-bf16"]', "torch", None, "no bundle holds torch-bf16: a bundle has"),
        ('device = "cuda"', "torch", None, "no bundle holds torch-fp16-cuda: a bundle has onnx"),
    ],
)
def test_a_stage_that_names_other_runtimes_gets_them_and_is_told_what_they_need(
    stage: str,
    runtime: str,
    bundle: Json | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = of_speeds(tmp_path / "run")
    code, stages = picked(out, f"[stage.own]\n{stage}\n", tmp_path)
    assert code == 0
    assert stages["own"]["pick"]["runtime"] == runtime
    assert stages["own"]["pick"]["bundle"] == bundle
    assert stages["own"]["beyond"] is None
    assert words in " ".join(capsys.readouterr().out.split())
    install = "no bundle holds it: a bundle has onnxruntime-fp32"
    if bundle is not None:
        install = "a bundle in {runtime} {precision}, needs {needs}".format(**bundle)
    assert f"To install: {inline(install)}" in (out / "picks.md").read_text()


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
        ("[stage.a]\nbatch_size = 8", "at 8, only at 1; `gaikan time RUN` times 1, 8, 32, 64, 256"),
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


def test_the_tree_shows_every_variant_and_marks_the_picks(run: Path, tmp_path: Path) -> None:
    picked(run, "[stage.'組立']\n[stage.last]\nescape_bound = { max = 0.0001 }\n", tmp_path)
    root = ElementTree.parse(run / "figures/tree.svg").getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("mean_embedding") == 3
    assert texts.count("head") == 1
    assert texts.count("組立") == 1
    assert "last: nothing qualifies" in texts
    assert "last" not in texts
    table = pd.read_parquet(run / "predictions.parquet")
    test = table[(table["split"] == "test") & (table["variant"] == FAKES[0].variant)]
    share = (test["label"].astype(str) == test["predicted"].astype(str)).mean()
    assert f"{100 * share:.1f} %" in texts


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


def test_a_column_without_a_value_is_none_of_its_names(run: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    lacking = table.index % 7 == 0
    for column in (table["mode"], table["mode"].astype(str)):
        table["mode"] = column.where(~lacking, None)
        table.to_parquet(run / "holes.parquet")
        codes, names = _column(read_predictions(run / "holes.parquet", (), ("mode",)), "mode")
        assert (codes[lacking] == -1).all()
        assert [names[code] for code in codes[~lacking]] == table["mode"][~lacking].tolist()


def test_at_the_end_of_a_run_what_cannot_be_picked_is_told_and_undoes_nothing(
    tmp_path: Path,
) -> None:
    out = write_run(tmp_path, config={"stage": {"bulk": {"batch_size": 64}}})
    shown = StringIO()
    pick_after_bench(Console(file=shown, width=200), out)
    assert "nothing picked" in shown.getvalue()
    assert "key 'stage.bulk.batch_size': not timed at 64, only at 1" in shown.getvalue()
