"""What needs a GPU: `bench/gpu.sh` runs it on a machine that has little but PyTorch.

A process a phase, each with its own time limit: one that fails or hangs leaves the others.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from gaikan.config.model import AugmentConfig, TrainConfig
from gaikan.data.frames import Frames
from gaikan.data.terminals import terminals
from gaikan.grid.jobs import Job
from gaikan.grid.pool import Pool
from gaikan.networks import NETWORKS
from gaikan.seeds import stream
from gaikan.styles import STYLES
from gaikan.system import machine
from gaikan.system.files import write
from gaikan.system.machine import MachineFacts
from gaikan.system.store import unpack
from gaikan.timing.footprint import host_peak
from gaikan.timing.measure import Rule, SamplingPlan
from gaikan.timing.models import TrainedFiles, write_gemm
from gaikan.timing.runtime_process import Case, RefusedError, Server
from gaikan.timing.runtimes import REFERENCE, RUNTIMES, ModelFolder, Runtime, Setting
from gaikan.timing.session import Session, SessionParts, session
from gaikan.timing.torch_model import GEMM_SIZE, save_network
from gaikan.timing.torch_runtimes import cuda_peak
from gaikan.training.cell import Cell, Finished
from gaikan.training.train import Recipe

Json = dict[str, object]
_ROOT = Path(__file__).parent.parent
_ARCHS, _STYLES, _ANCHOR = ("cnn", "mlp"), ("vanilla", "triplet"), "mean_embedding"
_TIMED = ("mlp-triplet", "cnn-triplet")
_VALIDATION_LOTS = 6
_REPEATS = 30
_SCORED_AT_ONCE = 64


@dataclass(frozen=True)
class Place:
    """Where a phase works, and on what."""

    device: str  # cuda; cpu, so that the script can be tried without
    work: Path

    @property
    def epochs(self) -> int:
        """Of the cnn: enough to learn, and without a GPU enough to see that it runs."""
        return 8 if self.device == "cuda" else 1

    @property
    def batches(self) -> tuple[int, ...]:
        """Images at once."""
        return (1, 64, 1024) if self.device == "cuda" else (1, 8)

    @property
    def runtimes(self) -> list[Runtime]:
        """PyTorch's on the device."""
        of_device = [r for r in RUNTIMES.values() if r.device == self.device and r.needs == "torch"]
        return [r for r in of_device if r.unavailable() is None and not r.compiles]

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def tests(place: Place) -> Json:
    """The tests that are skipped without a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # PyTorch 2.9 and later warn once of how TF32 is turned off, the only way that 2.6 has.
    command += ["-W", "ignore:Please use the new API settings", "tests/gpu/test_device.py"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
    if done.returncode:
        raise RuntimeError("; ".join(lines[-6:]))
    return {"summary": lines[-1].strip("= ")}


def train(place: Place) -> Json:
    """A small grid on the device in each precision, and in fp32 on the processor."""
    frames, test = terminals("train"), terminals("test")
    if place.device == "cpu":  # only to see that it runs
        frames, test = (part.take(np.arange(0, len(part), 8)) for part in (frames, test))
    np.save(place.work / "test.npy", test.images)
    np.save(place.work / "labels.npy", test.labels)
    runs: Json = {}
    asked = [
        ("cpu", "fp32"),
        (place.device, "fp32"),
        (place.device, "fp32"),
        (place.device, "bf16"),
    ]
    before: list[bytes] = []
    for number, (device, precision) in enumerate(asked):
        started = time.perf_counter()
        cells = [_cell(a, s, device, precision, place, frames) for a in _ARCHS for s in _STYLES]
        jobs = {i: Job(cell, None) for i, cell in enumerate(cells)}
        folder = place.work / f"train-{number}"
        found = dict(Pool(folder).run(jobs, frames, test, _Silent()))
        name = f"{device}-{precision}" + ("-again" if f"{device}-{precision}" in runs else "")
        runs[name] = {
            "seconds": time.perf_counter() - started,
            "cells": {c.network: _scored(found[i], test) for i, c in enumerate(cells)},
        }
        if number == 1:
            _keep(place.work / "networks", cells, found)
            before = [_weights(found[i]) for i in range(len(cells))]
        if number == 2:
            runs["repeats"] = before == [_weights(found[i]) for i in range(len(cells))]
    return runs


def _cell(arch: str, style: str, device: str, precision: str, place: Place, frames: Frames) -> Cell:
    assert frames.groups is not None
    lots = sorted(set(frames.groups.tolist()))
    held_out = np.isin(frames.groups, lots[-_VALIDATION_LOTS:])
    network = NETWORKS[arch]
    settings = TrainConfig(
        epochs=round(place.epochs * network.epochs_factor),
        batch_size=64 * network.batch_factor,
        precision="bf16" if precision == "bf16" else "fp32",
        normalise="source",
    )
    options = STYLES[style].options_type().model_dump()
    recipe = Recipe(arch, style, options, settings, AugmentConfig(), seed=0)
    fit, validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    return Cell(recipe, fit, validation, (_ANCHOR,), device)


class _Silent:
    """A `Watcher` that says nothing."""

    def begin(self, *_: object) -> None:
        """Cells are about to be trained."""

    epoch = end = note = waiting = stage = begin


def _scored(finished: Finished, test: Frames) -> Json:
    """Seconds, and accuracy on the test lots by the mean embeddings, with float64 distances."""
    if finished.embedded is None:
        raise RuntimeError(finished.failure)
    arrays, _ = unpack(finished.embedded)
    gaps = arrays["test"][:, None].astype(np.float64) - arrays[f"anchors.{_ANCHOR}"]
    predicted = np.square(gaps).sum(2).argmin(1)
    return {
        "seconds": finished.seconds,
        "accuracy": float((predicted == test.labels).mean()),
    }


def _weights(finished: Finished) -> bytes:
    """All tensors of a trained network, to be compared."""
    assert finished.trained is not None
    return b"".join(array.tobytes() for _, array in sorted(unpack(finished.trained)[0].items()))


def _keep(folder: Path, cells: Sequence[Cell], found: dict[int, Finished]) -> None:
    for i, cell in enumerate(cells):
        for name, content in (("trained", found[i].trained), ("embedded", found[i].embedded)):
            assert content is not None
            (folder / cell.network).mkdir(parents=True, exist_ok=True)
            (folder / cell.network / name).write_bytes(content)


def _networks(place: Place) -> dict[str, ModelFolder]:
    """The networks that `train` kept, each with its decision by mean embeddings alone."""
    folders = sorted(f for f in (place.work / "networks").glob("*") if f.is_dir())
    if not folders:
        raise RuntimeError("there are no trained networks: the phase 'train' left none")
    found = {}
    for folder in folders:
        both = [(folder / name).read_bytes() for name in ("trained", "embedded")]
        network = TrainedFiles.of(*both)
        save_network(network.module.only(_ANCHOR), network.arch, network.shape, folder)
        found[folder.name] = ModelFolder(folder)
    return found


def speed(place: Place) -> Json:
    """Latency, throughput and accuracy of the device's runtimes, as `gaikan time` has them."""
    reference = REFERENCE.setting(machine.cores())
    settings = list(
        dict.fromkeys([reference, *(r.setting(machine.cores()) for r in place.runtimes)])
    )
    models = _networks(place)
    labels = np.load(place.work / "labels.npy")
    sample = place.work / "sample.npy"
    np.save(sample, np.load(place.work / "test.npy")[:64])
    classes = tuple(map(str, range(int(labels.max()) + 1)))
    rules = (Rule(0.3, 700), Rule(0.3, 5)) if place.device == "cuda" else (Rule(0, 3), Rule(0, 2))
    plan = SamplingPlan(*rules, batches=place.batches, rounds=6, warm_up=0.1)
    gemm = write_gemm(place.work / "gemm")
    with session(settings, SessionParts(str(sample), classes), lambda *_: None) as opened:
        scores = {s: _scores(opened, s, models, place, classes) for s in settings}
        roofline = {s.runtime.label: _roofline(opened, s, gemm) for s in settings}
        opened.load({name: models[name] for name in _TIMED})
        cases = [(s, Case(m, n)) for s in settings for m in _TIMED for n in place.batches]
        opened.measure(cases, plan, stream(0, "timing order"))
    rows = []
    for setting in settings:
        for model in _TIMED:
            try:
                found = opened.measured.columns(setting, model, model, reference)
            except RefusedError as error:
                rows.append(_row(setting, model) | {"skipped": str(error)})
                continue
            for size, columns in found.items():
                rows.append(_row(setting, model) | {"batch_size": size} | columns)
            for size, reason in opened.measured.left_out(setting, model).items():
                rows.append(_row(setting, model) | {"batch_size": size, "skipped": reason})
    return {
        "rows": rows,
        "scores": {
            s.runtime.label: _against(scores[reference], o, labels) for s, o in scores.items()
        },
        "roofline": roofline,
    }


Outputs = dict[str, list[np.ndarray]]


def _scores(
    opened: Session,
    setting: Setting,
    models: dict[str, ModelFolder],
    place: Place,
    classes: tuple[str, ...],
) -> Outputs:
    """Every network's outputs for all test images."""
    opened.ask(setting, "", Server.use, str(place.work / "test.npy"), classes, None)
    found: Outputs = {}
    for name, folder in models.items():
        key = f"scored {name}"
        opened.ask(setting, key, Server.load, key, str(folder.folder))
        outputs = opened.ask(setting, key, Server.outputs, key, _SCORED_AT_ONCE)
        if outputs is not None:
            found[name] = outputs
            opened.ask(setting, key, Server.drop, key)
    opened.ask(setting, "", Server.use, str(place.work / "sample.npy"), classes, None)
    return found


def _against(reference: Outputs, own: Outputs, labels: np.ndarray) -> Json:
    found: Json = {}
    for name, (predicted, distances, *_) in own.items():
        expected, exact, *_ = reference[name]
        found[name] = {
            "accuracy": float((predicted == labels).mean()),
            "reference_accuracy": float((expected == labels).mean()),
            "agreement": float((predicted == expected).mean()),
            "max_distance_error": float(np.abs(distances - exact).max()),
        }
    return found


def _row(setting: Setting, model: str) -> Json:
    return {"network": model, "runtime": setting.runtime.label, "threads": setting.threads}


def _roofline(opened: Session, setting: Setting, gemm: ModelFolder) -> Json:
    rate = opened.ask(setting, "gemm", Server.gemm, str(gemm.folder), GEMM_SIZE)
    speeds = opened.ask(setting, "bandwidth", Server.bandwidth) or {}
    return {
        "gemm_gflops": None if rate is None else rate / 1e9,
        "bandwidth_gb_per_s": {str(size): speed / 1e9 for size, speed in speeds.items()},
    }


def transfer(place: Place) -> Json:
    """Milliseconds of each part of a query apart: images there, the network, outputs back."""
    networks, images = _networks(place), np.load(place.work / "test.npy")
    rows = []
    for runtime in place.runtimes:
        for name in _TIMED:
            model = runtime.load(networks[name].folder, machine.cores())
            for size in place.batches:
                batch = np.resize(images, (size, *images.shape[1:]))
                outputs = [torch.from_numpy(o).to(place.device) for o in model(batch)]
                on_device = model.on_device(batch)
                rows.append(
                    {"runtime": runtime.label, "network": name, "batch_size": size}
                    | {"there_ms": _there(place, torch.from_numpy(batch))}
                    | {"there_pinned_ms": _there_pinned(place, batch)}
                    | {"device_ms": None if on_device is None else _median(on_device)}
                    | {"back_ms": _timed(place, partial(_back, outputs))}
                    | {"whole_ms": _timed(place, partial(model, batch))}
                )
    return {"rows": rows}


def _there(place: Place, batch: torch.Tensor) -> float:
    return _timed(place, lambda: batch.to(place.device, copy=True))


def _there_pinned(place: Place, batch: np.ndarray) -> float | None:
    """From memory that the device reads without the processor: what a camera might write to."""
    if place.device != "cuda":
        return None
    return _there(place, torch.from_numpy(batch).pin_memory())


def _back(outputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [output.cpu() for output in outputs]


def _timed(place: Place, run: Callable[[], object]) -> float:
    def query() -> float:
        place.wait()
        started = time.perf_counter()
        run()
        place.wait()
        return time.perf_counter() - started

    return _median(query)


def _median(query: Callable[[], float]) -> float:
    """Milliseconds, after three queries for nothing."""
    return 1e3 * float(np.median([query() for _ in range(_REPEATS + 3)][3:]))


def memory(place: Place) -> Json:
    """MB that a runtime holds at most, by batch size: allocated, and reserved for it."""
    networks, images = _networks(place), np.load(place.work / "test.npy")
    rows = []
    for runtime in place.runtimes:
        for name in _TIMED:
            model = runtime.load(networks[name].folder, machine.cores())
            for size in place.batches:
                batch = np.resize(images, (size, *images.shape[1:]))
                peak = cuda_peak if place.device == "cuda" else host_peak
                held = peak(partial(model, batch))
                rows.append(
                    {"runtime": runtime.label, "network": name, "batch_size": size}
                    | {"allocated_mb": None if held is None else held / 2**20}
                    | {"reserved_mb": _reserved(place)}
                )
            del model
            if place.device == "cuda":
                torch.cuda.empty_cache()
    return {"rows": rows}


def _reserved(place: Place) -> float | None:
    return torch.cuda.max_memory_reserved() / 2**20 if place.device == "cuda" else None


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
    from gpu_page import page

    write(asked.out / "gpu.md", page(found))
    return 1 if any(failure(found[name]) for name in PHASES) else 0


if __name__ == "__main__":
    sys.exit(main())
