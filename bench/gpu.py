"""What needs a GPU: `bench/gpu.sh` runs it on a machine that has little but PyTorch.

A process a phase, each with its own time limit: one that fails or hangs leaves the others.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from gpu_page import page
from gpu_phases import Json, Place, tests, train
from gpu_speed import memory, speed, transfer

from gaikan.system.files import write
from gaikan.system.machine import MachineFacts

PHASES: dict[str, tuple[float, Callable[[Place], Json]]] = {  # seconds at most
    "tests": (100, tests),
    "train": (150, train),
    "speed": (130, speed),
    "transfer": (40, transfer),
    "memory": (40, memory),
}


def run_all(out: Path, place: Place) -> Json:
    """Each phase in a process of its own; what one failed of in place of its figures."""
    found: Json = {"machine": asdict(MachineFacts.here(place.device)), "device": place.device}
    found["cuda"] = torch.version.cuda
    seconds: dict[str, float] = {}
    for name, (limit, _) in PHASES.items():
        started = time.perf_counter()
        found[name] = run_phase(name, limit, out, place)
        seconds[name] = time.perf_counter() - started
        print(f"{name}: {seconds[name]:.0f} s {failure(found[name]) or ''}", flush=True)
        found["seconds"] = seconds
        write(out / "gpu.json", json.dumps(found, indent=1))
    return found


def run_phase(name: str, limit: float, out: Path, place: Place) -> Json:
    result = place.work / f"{name}.json"
    command = [sys.executable, __file__, str(out), "--phase", name]
    command += ["--device", place.device, "--work", str(place.work)]
    try:
        done = subprocess.run(command, timeout=limit, stderr=subprocess.PIPE, text=True)
    except subprocess.TimeoutExpired:
        return {"failed": f"took over {limit:g} s"}
    if done.returncode or not result.exists():
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": lines[-1], "trace": lines[-25:]}
    loaded: Json = json.loads(result.read_text(encoding="utf-8"))
    return loaded


def failure(phase: object) -> str | None:
    """Why a phase has no figures; None where it has."""
    return str(phase["failed"]) if isinstance(phase, dict) and "failed" in phase else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of gpu.json and gpu.md")
    parser.add_argument("--work", type=Path, required=True, help="folder for what lies between")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help=argparse.SUPPRESS)
    parser.add_argument("--phase", choices=tuple(PHASES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    place = Place(asked.device, asked.work)
    if asked.phase is not None:
        result = PHASES[asked.phase][1](place)
        write(asked.work / f"{asked.phase}.json", json.dumps(result))
        return 0
    asked.out.mkdir(parents=True, exist_ok=True)
    found = run_all(asked.out, place)
    write(asked.out / "gpu.md", page(found))
    return 1 if any(failure(found[name]) for name in PHASES) else 0


if __name__ == "__main__":
    sys.exit(main())
