"""The phases of `gpu.py` after its training: how fast its networks are, and how large."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import torch
from gpu_phases import ANCHOR, Json, Place
from numpy.typing import NDArray

from gaikan.run_folder.latency_rows import Row
from gaikan.seeds import stream
from gaikan.system import machine
from gaikan.timing.footprint import host_peak
from gaikan.timing.measure import Rule, SamplingPlan
from gaikan.timing.models import TrainedFiles, write_gemm
from gaikan.timing.runtime_process import Case, Server, SessionParts
from gaikan.timing.runtimes import REFERENCE, ModelFolder, Outputs, Setting
from gaikan.timing.session import Session, session
from gaikan.timing.torch_model import GEMM_SIZE, save_network
from gaikan.timing.torch_runtimes import cuda_peak

_TIMED = ("mlp-triplet", "cnn-triplet")
_REPEATS = 30
_SCORED_AT_ONCE = 64


def _networks(place: Place) -> dict[str, ModelFolder]:
    """The networks that `train` kept, each with its decision by mean embeddings alone."""
    folders = sorted(f for f in (place.work / "networks").glob("*") if f.is_dir())
    if not folders:
        raise RuntimeError("there are no trained networks: the phase 'train' left none")
    found = {}
    for folder in folders:
        both = [(folder / name).read_bytes() for name in ("trained", "embedded")]
        network = TrainedFiles.of(*both)
        save_network(network.module.only(ANCHOR), network.arch, network.shape, folder)
        found[folder.name] = ModelFolder(folder)
    return found


def speed(place: Place) -> Json:
    """Latency, throughput and accuracy of the device's runtimes, as `gaikan time` has them."""
    cores = machine.cores()
    reference = REFERENCE.setting(cores)
    settings = list(dict.fromkeys([reference, *(r.setting(cores) for r in place.runtimes)]))
    models, labels = _networks(place), np.load(place.work / "labels.npy")
    np.save(place.work / "sample.npy", np.load(place.work / "test.npy")[:64])
    classes = tuple(map(str, range(int(labels.max()) + 1)))
    sample, test = (
        SessionParts(str(place.work / name), classes) for name in ("sample.npy", "test.npy")
    )
    rules = (Rule(0.3, 700), Rule(0.3, 5)) if place.device == "cuda" else (Rule(0, 3), Rule(0, 2))
    plan = SamplingPlan(*rules, batches=place.batches, rounds=6, warm_up=0.1)
    gemm = write_gemm(place.work / "gemm")
    with session(settings, sample, lambda *_: None) as opened:
        outputs = {s: _outputs(opened, s, models, test) for s in settings}
        roofline = {s.runtime.label: _roofline(opened, s, gemm) for s in settings}
        opened.load({name: models[name] for name in _TIMED})
        cases = [(s, Case(m, n)) for s in settings for m in _TIMED for n in place.batches]
        opened.measure(cases, plan, stream(0, "timing order"))
    found = opened.measured
    return {
        "rows": [
            _figures(row)
            for s in settings
            for model in _TIMED
            for row in found.rows(_row(s, model), s, model, model, reference)
        ],
        "scores": {
            s.runtime.label: _scores(outputs[reference], outputs[s], labels) for s in outputs
        },
        "roofline": roofline,
    }


def _outputs(
    opened: Session, setting: Setting, models: dict[str, ModelFolder], test: SessionParts
) -> dict[str, Outputs]:
    """Every network's outputs for all test images."""
    opened.use(setting, test)
    found: dict[str, Outputs] = {}
    for name, folder in models.items():
        key = f"scored {name}"
        opened.ask(setting, key, Server.load, key, str(folder.folder))
        outputs = opened.ask(setting, key, Server.outputs, key, _SCORED_AT_ONCE)
        if outputs is not None:
            found[name] = outputs
            opened.ask(setting, key, Server.drop, key)
    opened.use(setting, opened.parts)
    return found


def _scores(
    reference: dict[str, Outputs], own: dict[str, Outputs], labels: NDArray[np.int64]
) -> Json:
    """How a runtime classifies the test lots, by network."""
    found: Json = {}
    for name, (predicted, distances, *_) in own.items():
        expected, exact, *_ = reference[name]
        found[name] = {
            "accuracy": float((predicted == labels).mean()),
            "reference_accuracy": float((expected == labels).mean()),
            "agreement": float((predicted == expected).mean()),
            "max_distance_error": float(np.abs(np.subtract(distances, exact)).max()),
        }
    return found


def _row(setting: Setting, model: str) -> Row:
    return Row(
        machine="",
        processor=machine.processor(),
        cores=machine.cores(),
        variant=model,
        computation=model,
        device=setting.runtime.device,
        threads=setting.threads,
        runtime=setting.runtime.label,
        precision=setting.runtime.precision,
        batch_size=None,
        includes_decode=False,
        network=model,
    )


def _figures(row: Row) -> Json:
    """What a row says, as JSON, but for what it leaves open."""
    skipped = {} if row.skipped is None else {"skipped": row.skipped.en}
    kept = asdict(replace(row, skipped=None))
    return {name: value for name, value in kept.items() if value is not None} | skipped


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
