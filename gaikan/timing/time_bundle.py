"""`gaikan time BUNDLE`: times a bundle where it is to run. Needs the base install only."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.card import Card
from gaikan.run_folder.latency_rows import Row, computation_of
from gaikan.seeds import stream
from gaikan.system import machine
from gaikan.timing.measure import PLANS
from gaikan.timing.options import TimingOptions
from gaikan.timing.runtime_process import Case, RefusedError
from gaikan.timing.runtimes import RUNTIMES, ModelFolder, Setting
from gaikan.timing.session import Measured, Report, SessionParts, session

_RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino"}  # as a card and as a table call it


def time_bundle(bundle: Bundle, options: TimingOptions, report: Report) -> list[Row]:
    """Rows of `latency.csv` for the runtime and precision that the bundle was exported for.

    Each number of threads has a process of its own. What is predicted is noise: how long a
    network takes does not depend on what it sees. Raises ConfigError on impossible threads.
    """
    card, plan, threads = bundle.card, PLANS[options.plan], options.all_threads
    runtime = RUNTIMES[f"{_RUNTIMES[card.runtime]}-{card.precision}"]
    settings = [runtime.setting(count) for count in threads]
    name = _computation(card)
    with tempfile.TemporaryDirectory(prefix="gaikan-timing-") as folder:
        (Path(folder) / runtime.file).write_bytes(bundle.model)
        models = {name: ModelFolder(Path(folder))}
        parts = SessionParts(_noise(card, Path(folder) / "sample.npy"), card.classes)
        with session(settings, parts, report) as open_session:
            if options.plan != "quick":
                open_session.probe(models, threads[-1], plan.batches)
            open_session.load(models)
            cases = [(setting, Case(name, size)) for setting in settings for size in plan.batches]
            open_session.measure(cases, plan, stream(0, "timing order"))
            measured = open_session.measured
    return [
        row
        for setting in settings
        for row in _rows(bundle, options.machine_name, setting, measured)
    ]


def _noise(card: Card, path: Path) -> str:
    images = stream(0, "timing images").integers(0, 256, (64, *card.shape)).astype(card.dtype)
    np.save(path, images)
    return str(path)


def _rows(bundle: Bundle, machine_name: str, setting: Setting, measured: Measured) -> list[Row]:
    card, runtime = bundle.card, setting.runtime
    columns: dict[str, Any] = {
        "machine": machine_name,
        "processor": machine.processor(),
        "cores": machine.cores(),
        "variant": card.variant,
        "computation": _computation(card),
        "device": runtime.device,
        "threads": setting.threads,
        "runtime": runtime.name,
        "precision": runtime.precision,
        "includes_decode": False,
        "network": _text(card.training.get("network")),
        "model_bytes": len(bundle.model),
        "accuracy": _accuracy(card),
        "agreement": _agreement(card),
    }
    try:
        found = measured.columns(setting, _computation(card), _computation(card))
    except RefusedError as error:
        return [Row(**columns, batch_size=None, skipped=str(error))]
    left_out = measured.left_out(setting, _computation(card))
    return [
        *(Row(**columns, batch_size=size, **figures) for size, figures in found.items()),
        *(Row(**columns, batch_size=size, skipped=why) for size, why in left_out.items()),
    ]


def _computation(card: Card) -> str:
    return computation_of(card.arch, card.anchor)


def _accuracy(card: Card) -> float | None:
    """Its network's on the test part, where export has verified that it decides alike."""
    if card.precision != "fp32" or card.enrolled or card.threshold is not None:
        return None
    return _share(card.metrics, "test", "accuracy", "value")


def _agreement(card: Card) -> float | None:
    """With its network, on the validation images that export compared them on."""
    return None if card.enrolled else _share(card.parity, "validation", "agreement")


def _share(values: dict[str, Any], *keys: str) -> float | None:
    """The value 0..1 at `keys`, within what anyone may have written; None where there is none."""
    found: Any = values
    try:
        for key in keys:
            found = found[key]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, float) and 0 <= found <= 1 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
