"""The first phases of `gpu.py`: the device's tests, and training."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.data.frames import Frames
from gaikan.data.terminals import terminals
from gaikan.grid.jobs import Job
from gaikan.grid.pool import Pool
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES
from gaikan.system.store import unpack
from gaikan.timing.runtimes import RUNTIMES, Runtime
from gaikan.training.cell import Cell, Finished
from gaikan.training.train import Recipe

Json = dict[str, object]
_ROOT = Path(__file__).parent.parent
_ARCHS, _STYLES, ANCHOR = ("cnn", "mlp"), ("vanilla", "triplet"), "mean_embedding"
_VALIDATION_LOTS = 8


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
    # PyTorch 2.9 and later warn once of how TF32 is turned off, the only way that 2.8 has.
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
    asked = {
        "cpu-fp32": ("cpu", "fp32"),
        f"{place.device}-fp32": (place.device, "fp32"),
        f"{place.device}-fp32-again": (place.device, "fp32"),
        f"{place.device}-bf16": (place.device, "bf16"),
    }
    runs: Json = {}
    weights = {}
    for name, (device, precision) in asked.items():
        started = time.perf_counter()
        found = _trained(device, precision, place, frames, test)
        weights[name] = [_weights(finished) for finished in found.values()]
        runs[name] = {
            "seconds": time.perf_counter() - started,
            "cells": {network: _scored(finished, test) for network, finished in found.items()},
        }
        if name == f"{place.device}-fp32":
            _keep(place.work / "networks", found)
    once = f"{place.device}-fp32"
    return runs | {"repeats": weights[once] == weights[f"{once}-again"]}


def _trained(
    device: str, precision: str, place: Place, frames: Frames, test: Frames
) -> dict[str, Finished]:
    """The small grid, by network."""
    cells = [_cell(a, s, device, precision, place, frames) for a in _ARCHS for s in _STYLES]
    jobs = {i: Job(cell, None) for i, cell in enumerate(cells)}
    found = dict(Pool(place.work / "training").run(jobs, frames, test, _Silent()))
    return {cell.network: found[i] for i, cell in enumerate(cells)}


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
    return Cell(recipe, fit, validation, (ANCHOR,), device)


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
    gaps = arrays["test"][:, None].astype(np.float64) - arrays[f"anchors.{ANCHOR}"]
    predicted = np.square(gaps).sum(2).argmin(1)
    return {
        "seconds": finished.seconds,
        "accuracy": float((predicted == test.labels).mean()),
    }


def _weights(finished: Finished) -> bytes:
    """All tensors of a trained network, to be compared."""
    assert finished.trained is not None
    return b"".join(array.tobytes() for _, array in sorted(unpack(finished.trained)[0].items()))


def _keep(folder: Path, found: dict[str, Finished]) -> None:
    """Writes the networks for the phases that follow."""
    for network, finished in found.items():
        for name, content in (("trained", finished.trained), ("embedded", finished.embedded)):
            assert content is not None
            (folder / network).mkdir(parents=True, exist_ok=True)
            (folder / network / name).write_bytes(content)
