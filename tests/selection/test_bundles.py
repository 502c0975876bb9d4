"""Runtimes that the base install lacks."""

from pathlib import Path

import pytest
from picking import Json, picked
from small_run import Fake, write_run

from gaikan.report.markdown_table import inline

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
