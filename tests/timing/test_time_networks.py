"""Timing end to end on a tiny grid: no test here asserts how long anything takes."""

import io
import json
import shutil
from contextlib import closing, redirect_stdout
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from runner import bench, gaikan
from tiny import write_class

from gaikan.errors import ConfigError
from gaikan.flow.timing_run import time_networks
from gaikan.language.words import say
from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.latency_tables import agreement_rows
from gaikan.report.markdown_page import markdown
from gaikan.run_folder.latency_facts import read_facts
from gaikan.run_folder.latency_rows import Row, read_rows, write_rows
from gaikan.timing.agreement import compare_outputs
from gaikan.timing.measure import PLANS, Rule, SamplingPlan
from gaikan.timing.options import TimingOptions
from gaikan.timing.runtime_process import Server
from gaikan.timing.runtime_worker import RefusedError, Worker
from gaikan.timing.runtimes import RUNTIMES
from gaikan.timing.time_networks import Timing, time_run
from gaikan.timing.timed_run import TimedRun

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 2
references = "none"
pictures = false
[data]
train = "{folder}/parts"
[grid]
arch = ["mlp"]
style = ["vanilla", "triplet"]
[train]
epochs = 6
batch_size = 16
[timing]
enabled = false
"""
TINY = SamplingPlan(Rule(0.002, 4), Rule(0.002, 2), (1, 3), rounds=3, warm_up=0.01)
OPTIONS = TimingOptions(
    runtimes=("onnxruntime-fp32", "onnxruntime-int8", "openvino-fp32", "torch-fp16-cuda"),
    threads=(1,),
    include_decode=True,
    machine="here",
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four networks, not timed."""
    path = tmp_path_factory.mktemp("timing")
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(path / "parts" / name, 3 * place, 30, seed=0, contrast=14)
    (path / "grid.toml").write_text(TOML.format(folder=path))
    assert bench(path / "grid.toml", "--out", path / "out") == 0
    shutil.rmtree(path / "parts")  # timing needs no data source
    return path / "out"


@pytest.fixture(scope="module")
def shown(out: Path) -> str:
    """What `gaikan time` shows when it times the run by `OPTIONS`."""
    runtimes = [word for label in OPTIONS.runtimes or () for word in ("--runtime", label)]
    with redirect_stdout(io.StringIO()) as shown, pytest.MonkeyPatch.context() as patch:
        patch.setitem(PLANS, "default", TINY)
        ended = gaikan(
            "time", str(out), "--machine-name", "here", "--threads", "1", "--include-decode",
            *runtimes,
        )  # fmt: skip
    assert ended == 0
    return shown.getvalue()


@pytest.fixture(scope="module")
def timing(out: Path, shown: str) -> Timing:
    """What it wrote."""
    facts = read_facts(out)
    assert facts is not None
    return Timing(read_rows(out / "latency.csv"), facts, [])


def rows_of(timing: Timing, runtime: str, precision: str) -> list[Row]:
    return [r for r in timing.rows if (r.runtime, r.precision) == (runtime, precision)]


def test_every_variant_has_a_row_for_each_runtime_and_batch_size(timing: Timing) -> None:
    variants = {
        f"mlp-{style}-{anchor}"
        for style in ("vanilla", "triplet")
        for anchor in ("mean_image", "mean_embedding")
    } | {"mlp-vanilla-head"}
    for name, precision in (("torch", "fp32"), ("onnxruntime", "int8"), ("openvino", "fp32")):
        rows = rows_of(timing, name, precision)
        assert {(r.variant, r.batch_size) for r in rows} == {
            (v, b) for v in variants for b in (1, 3)
        }
        assert all(r.skipped is None and r.threads == 1 and r.device == "cpu" for r in rows)
        assert all(r.p50_ms is not None and r.p50_ms > 0 for r in rows)


def test_variants_of_one_computation_share_its_figures_and_not_its_accuracy(
    timing: Timing,
) -> None:
    rows = [r for r in rows_of(timing, "onnxruntime", "fp32") if r.batch_size == 1]
    anchors = [r for r in rows if r.computation == "mlp-anchors"]
    assert len(anchors) == 4
    assert len({r.p50_ms for r in anchors}) == 1
    assert len({r.accuracy for r in anchors}) > 1
    (head,) = [r for r in rows if r.computation == "mlp-head"]
    assert head.p50_ms != anchors[0].p50_ms


def test_too_few_queries_give_no_percentile(timing: Timing) -> None:
    counted = [r for r in timing.rows if r.queries is not None]
    assert all(r.p99_ms is None for r in counted if (r.queries or 0) < 662)
    assert all((r.queries or 0) >= (4 if r.batch_size == 1 else 2) for r in counted)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_its_rows_say_so_and_have_no_figure(timing: Timing) -> None:
    rows = rows_of(timing, "torch", "fp16")
    assert len(rows) == 5
    for row in rows:
        assert (row.device, row.skipped) == ("cuda", say("no_cuda"))
        assert row.p50_ms is row.accuracy is row.batch_size is None


def test_the_reference_predicts_what_the_run_predicted(out: Path, timing: Timing) -> None:
    scores = pd.read_csv(out / "accuracy.csv")
    first = scores[(scores["seed"] == 0) & (scores["split"] == "test")].set_index("variant")
    for row in rows_of(timing, "torch", "fp32"):
        assert row.accuracy == row.reference_accuracy
        assert row.accuracy == pytest.approx(first.loc[row.variant, "accuracy"], abs=1e-6)
        assert (row.agreement, row.max_distance_error, row.speedup) == (1.0, 0.0, 1.0)


def test_fp32_runtimes_agree_and_int8_is_scored_on_its_own(timing: Timing) -> None:
    for name in ("onnxruntime", "openvino"):
        for row in rows_of(timing, name, "fp32"):
            assert row.agreement == 1.0
            assert row.max_distance_error is not None
            assert row.max_distance_error < 1e-3
    errors = {row.max_distance_error for row in rows_of(timing, "onnxruntime", "int8")}
    assert all(error is not None and error > 1e-3 for error in errors)


def test_what_else_a_picker_needs_is_there(timing: Timing) -> None:
    for row in rows_of(timing, "onnxruntime", "int8") + rows_of(timing, "torch", "fp32"):
        assert row.parameters == 144 * 512 + 512 * 256 + 256 * 128 + 896 + 2 * 768 + (
            3 * 129 if row.computation == "mlp-head" else 0
        )
        assert row.mflops == pytest.approx(
            2e-6 * (144 * 512 + 512 * 256 + 256 * 128 + (384 if "head" in row.variant else 0))
        )
        figures = (row.model_bytes, row.cpu_s_per_1000, row.load_ms, row.cold_start_ms)
        assert all(figure is not None and figure > 0 for figure in (*figures, row.roofline_share))
        assert row.peak_rss_mb is not None
        assert 10 < row.peak_rss_mb < 5000
    torch_mb, onnx_mb = (
        min(r.peak_rss_mb or 0 for r in rows_of(timing, name, "fp32"))
        for name in ("torch", "onnxruntime")
    )
    assert onnx_mb < torch_mb / 2  # its own process's, not that of the one that started it
    assert max(r.model_bytes or 0 for r in rows_of(timing, "onnxruntime", "int8")) < min(
        r.model_bytes or 0 for r in rows_of(timing, "onnxruntime", "fp32")
    )


def test_one_batch_size_is_named_best(timing: Timing) -> None:
    for name, precision in (("torch", "fp32"), ("openvino", "fp32")):
        own = [r for r in rows_of(timing, name, precision) if r.variant == "mlp-vanilla-head"]
        (best,) = [r for r in own if r.best_batch]
        assert best.images_per_s == max(r.images_per_s or 0 for r in own)


def test_the_claim_that_weights_do_not_count_is_checked(timing: Timing) -> None:
    checks = timing.facts.once_per_computation
    assert {check.runtime for check in checks} == {
        "torch-fp32",
        "onnxruntime-fp32",
        "openvino-fp32",
    }
    assert all(
        check.model == "mlp-anchors, mlp-vanilla-0" or "triplet" in check.model for check in checks
    )
    assert all(check.value > 0 for check in checks)
    assert timing.facts.scored_seeds == (0,)


def test_a_missing_store_entry_is_one_line(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    for entry in (tmp_path / "out/store").glob("*.safetensors"):
        entry.unlink()
    with pytest.raises(ConfigError, match="is missing or damaged; run `gaikan bench`"):
        time_run(TimedRun.read(tmp_path / "out"), TimingOptions(), lambda *_: None)
    with pytest.raises(ConfigError, match="no run folder"):
        TimedRun.read(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--threads", "4096"], "timing on 4096 threads: this machine has"),
        (["--runtime", "abacus"], "no runtime 'abacus'; there are torch-fp32"),
        (["--quick", "--thorough"], "--quick and --thorough: choose one"),
    ],
)
def test_bad_arguments_are_one_line(
    out: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gaikan("time", str(out), *arguments) == 2
    assert words in capsys.readouterr().err


def test_tables_samples_and_report_hold_what_was_timed(
    out: Path, shown: str, timing: Timing
) -> None:
    assert max(len(line) for line in shown.splitlines() if str(out) not in line) <= 80
    assert "…" not in shown  # nothing was cut off to fit
    assert f"settings were not timed; why: {out / 'latency.md'}" in " ".join(shown.split())
    assert all(row.includes_decode for row in timing.rows)
    text = (out / "latency.md").read_text()
    assert "torch-fp16-cuda: no CUDA device" in text or torch.cuda.is_available()
    assert "Decoding the image file is inside" in text
    assert text in (out / "report.md").read_text()
    samples = pd.read_parquet(out / "latency_samples.parquet")
    anchors = samples[(samples["computation"] == "mlp-anchors") & (samples["batch_size"] == 1)]
    ours = anchors[(anchors["runtime"] == "onnxruntime") & (anchors["precision"] == "fp32")]
    row = next(r for r in rows_of(timing, "onnxruntime", "fp32") if r.batch_size == 1)
    assert len(ours) == row.queries
    assert ours["round"].nunique() == TINY.rounds
    medians = ours.groupby("round")["seconds"].median()
    assert row.p50_ms == pytest.approx(1e3 * medians.median(), rel=1e-4)


def test_a_timing_that_still_holds_is_kept(out: Path, timing: Timing) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was timed again")

    kept = time_networks(out, OPTIONS, never, again=False)
    assert kept.kept
    assert kept.rows == timing.rows


def test_other_machines_are_merged_into_the_run(
    out: Path, timing: Timing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(out, tmp_path / "out")
    run, rows = str(tmp_path / "out"), timing.rows
    other = [replace(row, machine="pi4", p50_ms=99.0) for row in rows if row.p50_ms]
    write_rows(tmp_path / "pi4.csv", other)
    assert gaikan("report", run, "--latency", str(tmp_path / "pi4.csv")) == 0
    assert "pi4" in capsys.readouterr().out
    assert {row.machine for row in read_rows(tmp_path / "out/latency.csv")} == {"here", "pi4"}
    assert "### pi4" in (tmp_path / "out/report.md").read_text()
    assert (tmp_path / "out/figures/pareto-2.png").stat().st_size > 1000

    write_rows(tmp_path / "pi5.csv", [replace(row, cores=8) for row in other])
    assert gaikan("report", run, "--latency", str(tmp_path / "pi5.csv")) == 2
    error = capsys.readouterr().err
    assert "pi5.csv: machine 'pi4' is" in error
    assert "another --machine-name" in error

    write_rows(tmp_path / "x.csv", [replace(rows[0], variant="vgg-vanilla-head")])
    assert gaikan("report", run, "--latency", str(tmp_path / "x.csv")) == 2
    assert "'vgg-vanilla-head' is not in" in capsys.readouterr().err

    before = (tmp_path / "out/latency.csv").read_bytes()
    for network in ("0" * 64, None):
        write_rows(tmp_path / "y.csv", [*other[1:], replace(other[0], network=network)])
        assert gaikan("report", run, "--latency", str(tmp_path / "y.csv")) == 2
        assert "y.csv: timed on other networks than those of" in capsys.readouterr().err

    write_rows(tmp_path / "z.csv", [replace(row, machine="here") for row in other])
    assert gaikan("report", run, "--latency", str(tmp_path / "z.csv")) == 2
    assert "machine 'here' is the one that" in capsys.readouterr().err
    assert (tmp_path / "out/latency.csv").read_bytes() == before


def test_a_network_whose_first_seed_failed_is_named_by_its_next(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANS, "thorough", TINY)
    shutil.copytree(out, tmp_path / "out")
    path = tmp_path / "out/manifest.json"
    manifest = json.loads(path.read_text())
    lost, left = (n for n in manifest["networks"] if n["network"] == "mlp-triplet")
    manifest["networks"].remove(lost)
    path.write_text(json.dumps(manifest))
    options = replace(OPTIONS, plan="thorough", runtimes=("onnxruntime-fp32",))
    rows = time_networks(tmp_path / "out", options, lambda *_: None).rows
    found = {row.network for row in rows if row.variant.startswith("mlp-triplet-")}
    assert found == {left["store"]["trained"]}


def test_a_row_names_the_network_that_was_timed(out: Path, timing: Timing) -> None:
    networks = json.loads((out / "manifest.json").read_text())["networks"]
    first = {each["network"]: each["store"]["trained"] for each in networks if each["seed"] == 0}
    assert len(set(first.values())) == 2
    for row in timing.rows:
        assert row.network == first[row.variant.rpartition("-")[0]]


def test_a_busy_machine_is_told_in_the_page(timing: Timing) -> None:
    assert timing.facts.ran is not None
    assert 0 < timing.facts.ran < 1.5

    def page(ran: float | None) -> str:
        return markdown(latency_blocks(timing.rows, timing.facts.model_copy(update={"ran": ran})))

    assert "a single thread that was timed ran 40.0 % of the time" in page(0.4)
    assert "was busy" not in page(0.98)
    assert "was busy" not in page(None)


def test_a_timing_is_known_by_its_networks_and_settings(out: Path) -> None:
    run = TimedRun.read(out)
    assert run.timing_key(TimingOptions()) == TimedRun.read(out).timing_key(TimingOptions())
    assert run.timing_key(TimingOptions()) != run.timing_key(TimingOptions(plan="quick"))
    fewer = replace(run, networks=run.networks[:-1])
    assert run.timing_key(TimingOptions()) != fewer.timing_key(TimingOptions())


def test_an_unavailable_runtime_gives_its_reason_and_a_dead_process_too(out: Path) -> None:
    missing = replace(RUNTIMES["openvino-fp32"], needs="no_such_package")
    assert missing.unavailable() == say("not_installed", package="no_such_package")
    before = {*active_children()}
    with closing(Worker(RUNTIMES["onnxruntime-fp32"], 1)) as worker:
        with pytest.raises(RefusedError, match=r"NoSuchFile|doesn't exist|not exist"):
            worker.ask(Server.load, "x", str(out / "nowhere"))
        assert worker.alive
        (process,) = {*active_children()} - before
        process.kill()
        with pytest.raises(RefusedError, match="its process died"):
            worker.ask(Server.bandwidth)


def test_distances_that_are_not_finite_are_told_apart_from_small_errors(timing: Timing) -> None:
    exact = np.ones((2, 2), np.float32)
    names, labels = np.array(["ok", "spur"]), np.array(["ok", "ok"])
    wild = np.array([[np.inf, 1], [np.nan, 1]], np.float32)
    found = compare_outputs((np.array([1, 0]), wild), (np.array([0, 0]), exact), names, labels)
    assert (found.accuracy, found.agreement, found.max_distance_error) == (0.5, 0.5, None)
    row = replace(rows_of(timing, "torch", "fp32")[0], max_distance_error=None)
    assert agreement_rows([row])[1][0][-1] == say("not_finite")


def test_facts_are_read_as_they_were_written(out: Path, timing: Timing) -> None:
    assert timing.facts.machine == "here"
    text = (out / "latency.json").read_text()
    assert timing.facts.model_dump_json(indent=1) + "\n" == text
