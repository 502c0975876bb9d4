"""`bench/gpu.sh` and its phases, as far as a machine without a GPU goes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gpu import PHASES, failure, run_phase
from gpu_page import page
from gpu_phases import Place

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_one_line_says_so(tmp_path: Path) -> None:
    own = os.environ | {"PYTHON": sys.executable}
    command = [str(ROOT / "bench/gpu.sh"), str(tmp_path / "out")]
    done = subprocess.run(command, env=own, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == "gpu.sh: no CUDA device on this machine; nothing was measured\n"
    assert not (tmp_path / "out").exists()


def test_every_phase_runs_and_leaves_its_figures_and_tables(tmp_path: Path) -> None:
    """On the processor, so that a GPU does not meet the script's mistakes."""
    command = [sys.executable, str(ROOT / "bench/gpu.py"), str(tmp_path / "out")]
    command += ["--work", str(tmp_path), "--device", "cpu"]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "out/gpu.json").read_text())
    assert set(found["train"]) == {"cpu-fp32", "cpu-fp32-again", "cpu-bf16", "repeats"}
    assert found["train"]["repeats"]
    rows = found["speed"]["rows"]
    assert {row["network"] for row in rows} == {"mlp-triplet", "cnn-triplet"}
    assert all(row["p50_ms"] > 0 for row in rows)
    assert found["speed"]["scores"]["torch-fp32"]["cnn-triplet"]["agreement"] == 1
    assert all(row["whole_ms"] > 0 for row in found["transfer"]["rows"])
    assert all(row["allocated_mb"] > 0 for row in found["memory"]["rows"])
    page = (tmp_path / "out/gpu.md").read_text()
    assert "failed" not in page
    assert page.count("| cnn-triplet | torch-fp32 |") == 2 * 3


def test_a_phase_that_fails_leaves_its_reason(tmp_path: Path) -> None:
    place = Place("cpu", tmp_path)
    failed = run_phase("memory", 300, tmp_path, place)
    reason = "RuntimeError: there are no trained networks: the phase 'train' left none"
    assert failure(failed) == reason
    assert failure(run_phase("train", 0.1, tmp_path, place)) == "took over 0.1 s"
    facts = {"gpu": "G", "cores": 2, "packages": {"torch": "2.6"}, "commit": None}
    found = {"machine": facts, "cuda": None} | dict.fromkeys(PHASES, failed)
    assert page(found).count(f"failed: {reason}") == len(PHASES)
