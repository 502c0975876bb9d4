"""`gaikan time BUNDLE`: times a bundle where it is to run. Needs the base install only."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.card import Card
from gaikan.run_folder.latency_rows import Row, computation_of
from gaikan.seeds import stream
from gaikan.system import machine
from gaikan.timing.measure import PLANS
from gaikan.timing.options import TimingOptions
from gaikan.timing.runtime_process import Case, SessionParts
from gaikan.timing.runtimes import RUNTIMES, ModelFolder, Setting
from gaikan.timing.session import Report, session

_RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino"}  # a card's name, a table's name


def time_bundle(bundle: Bundle, options: TimingOptions, report: Report) -> list[Row]:
    """Rows of `latency.csv` for the runtime and precision that the bundle was exported for.

    Each number of threads has a process of its own. The images are noise: how long a network takes
    does not depend on what it sees. Raises ConfigError on more threads than there are cores.
    """
    card, plan, threads = bundle.card, PLANS[options.plan], options.all_threads
    runtime = RUNTIMES[f"{_RUNTIMES[card.runtime]}-{card.precision}"]
    settings = [runtime.setting(count) for count in threads]
    name = computation_of(card.arch, card.anchor)
    with tempfile.TemporaryDirectory(prefix="gaikan-timing-") as folder:
        (Path(folder) / runtime.file).write_bytes(bundle.model)
        models = {name: ModelFolder(Path(folder))}
        parts = SessionParts(_noise(card, Path(folder) / "sample.npy"), card.classes)
        with session(settings, parts, report) as open_session:
            if options.plan != "quick":
                open_session.probe(models, threads[-1], plan)
            open_session.load(models)
            cases = [(setting, Case(name, size)) for setting in settings for size in plan.batches]
            open_session.measure(cases, plan, stream(0, "timing order"))
            measured = open_session.measured
    rows = {setting: _row(bundle, options.machine_name, setting) for setting in settings}
    return [row for s in settings for row in measured.rows(rows[s], s, name, name)]


def _noise(card: Card, path: Path) -> str:
    """Writes 64 images of noise to `path`, and returns it."""
    images = stream(0, "timing images").integers(0, 256, (64, *card.shape)).astype(card.dtype)
    np.save(path, images)
    return str(path)


def _row(bundle: Bundle, machine_name: str, setting: Setting) -> Row:
    """The columns of a row that are known before anything is timed.

    Accuracy is the judged network's on test, and None where the bundle may decide otherwise;
    agreement is that with the network on the validation images, as export has measured it.
    """
    card, runtime = bundle.card, setting.runtime
    network = card.training.get("network")
    agreement = None if card.enrolled else _share(card.parity, "validation", "agreement")
    changed = card.enrolled or card.refit is not None or card.threshold is not None
    as_judged = card.precision == "fp32" and not changed
    accuracy = _share(card.metrics, "test", "accuracy", "value") if as_judged else None
    return Row(
        machine=machine_name,
        processor=machine.processor(),
        cores=machine.cores(),
        variant=card.variant,
        computation=computation_of(card.arch, card.anchor),
        device=runtime.device,
        threads=setting.threads,
        runtime=runtime.name,
        precision=runtime.precision,
        batch_size=None,
        includes_decode=False,
        network=network if isinstance(network, str) else None,
        model_bytes=len(bundle.model),
        accuracy=accuracy,
        agreement=agreement,
    )


def _share(values: Mapping[str, object], *keys: str) -> float | None:
    """The share 0..1 at `keys` of a card, which anyone may have written; None without one."""
    value: object = values
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, float) and 0 <= value <= 1 else None
