"""How each runtime classifies the test part: its accuracy, and its agreement with the reference."""

from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from gaikan.timing.models import TrainedFiles
from gaikan.timing.prepared import Prepared
from gaikan.timing.runtime_process import Server, SessionParts
from gaikan.timing.runtimes import REFERENCE, ModelFolder, Outputs, Runtime, Setting
from gaikan.timing.session import Session

_BATCH = 64


@dataclass(frozen=True)
class Agreement:
    """One variant in one runtime: means over the networks that were scored."""

    accuracy: float
    reference_accuracy: float
    agreement: float  # share of parts given the reference's class
    max_distance_error: float | None  # the largest; None where a distance is not finite


def agreements(
    session: Session, settings: list[Setting], prepared: Prepared
) -> dict[tuple[Runtime, str], Agreement]:
    """Every runtime's own predictions on all test images, one setting a runtime."""
    inputs, networks = prepared.inputs, prepared.scored
    names, labels = np.asarray(inputs.classes), np.asarray(inputs.labels)
    by_network: dict[tuple[Runtime, str], list[Agreement]] = {}
    for setting in settings:
        session.use(setting, SessionParts(prepared.images, inputs.classes))
    for done, (trained, folder) in enumerate(networks):
        session.report(f"test predictions of {trained.network}", done, len(networks))
        outputs = {setting.runtime: _predict(session, setting, folder) for setting in settings}
        reference = outputs[REFERENCE]
        if trained.backbone is not None:
            reference = _own(trained, prepared)
        if reference is None:
            continue
        for runtime, own in outputs.items():
            for i, variant in enumerate(trained.variants):
                if own is not None:
                    here = slice(3 * i, 3 * i + 2)
                    agreement = compare_outputs(own[here], reference[here], names, labels)
                    by_network.setdefault((runtime, variant.name), []).append(agreement)
    for setting in settings:
        session.use(setting, prepared.parts)
    return {key: _mean(of_variant) for key, of_variant in by_network.items()}


def _predict(session: Session, setting: Setting, folder: ModelFolder) -> Outputs | None:
    """All outputs for all test images; None where the runtime refuses, as it will say again."""
    if setting.runtime.file in folder.missing:
        return None
    name = str(folder.folder)
    if session.ask(setting, name, Server.load, name, name) is None:
        return None
    outputs = session.ask(setting, name, Server.outputs, name, _BATCH)
    session.ask(setting, name, Server.drop, name)
    return outputs


@torch.inference_mode()
def _own(trained: TrainedFiles, prepared: Prepared) -> Outputs:
    """What a network that the reference runtime lacks gives here, as when the run embedded it."""
    batches = torch.split(torch.from_numpy(prepared.inputs.images), _BATCH)
    found = [trained.module(batch) for batch in batches]
    return [torch.cat(outputs).numpy() for outputs in zip(*found, strict=True)]


def compare_outputs(
    own: Outputs, reference: Outputs, names: NDArray[np.str_], labels: NDArray[np.str_]
) -> Agreement:
    """By the classes (N,) and distances (N, K) of both, and the names of the actual classes."""
    (predicted, distances), (expected, exact) = own, reference
    finite = np.isfinite(distances).all()
    return Agreement(
        accuracy=float((names[predicted] == labels).mean()),
        reference_accuracy=float((names[expected] == labels).mean()),
        agreement=float((predicted == expected).mean()),
        max_distance_error=float(np.abs(np.subtract(distances, exact)).max()) if finite else None,
    )


def _mean(networks: list[Agreement]) -> Agreement:
    errors = [network.max_distance_error for network in networks]
    known = [error for error in errors if error is not None]
    return Agreement(
        accuracy=fmean(network.accuracy for network in networks),
        reference_accuracy=fmean(network.reference_accuracy for network in networks),
        agreement=fmean(network.agreement for network in networks),
        max_distance_error=max(known) if len(known) == len(errors) else None,
    )
