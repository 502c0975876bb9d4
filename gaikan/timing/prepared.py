"""The models of a run as files that every runtime can load, and the images that they predict."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gaikan.run_folder.latency_rows import computation_of
from gaikan.run_folder.timing_inputs import Inputs
from gaikan.timing.decode import encode
from gaikan.timing.measure import SamplingPlan
from gaikan.timing.models import Exporter, TrainedFiles, size_of, write_gemm
from gaikan.timing.onnx_size import onnx_size
from gaikan.timing.options import TimingOptions
from gaikan.timing.runtime_process import Case, SessionParts
from gaikan.timing.runtimes import MODEL, ModelFolder, Setting
from gaikan.timing.session import Report
from gaikan.timing.timed_run import TimedRun
from gaikan.variants import HEAD

_SAMPLE = 64  # images that timing goes through; their number changes nothing


@dataclass(frozen=True)
class Computation:
    """A model that is timed once for all variants that compute the same."""

    name: str  # architecture and decision
    arch: str
    by_head: bool
    folder: ModelFolder
    parameters: int | None  # None: not known, and so below
    operations: float | None  # for one image, millions


@dataclass(frozen=True)
class Prepared:
    """The models and images of a timing, written to files."""

    inputs: Inputs
    images: str
    parts: SessionParts
    computations: dict[str, Computation]
    others: dict[str, str]  # model of another network -> the computation that it shares
    other_folders: dict[str, ModelFolder]
    scored: list[tuple[TrainedFiles, ModelFolder]]
    keys: dict[str, str]  # by network, in the store, of its first seed
    gemm: ModelFolder

    @property
    def models(self) -> dict[str, ModelFolder]:
        """Every model that is timed, by its name."""
        return {n: c.folder for n, c in self.computations.items()} | self.other_folders

    @property
    def alone(self) -> dict[str, ModelFolder]:
        """The first computation of each architecture: start and memory are measured on it."""
        names = dict.fromkeys(self.probed(c) for c in self.computations.values())
        return {name: self.computations[name].folder for name in names}

    def probed(self, computation: Computation) -> str:
        """The computation whose start and memory stand for this one's: the architecture's first."""
        return next(n for n, c in self.computations.items() if c.arch == computation.arch)

    @classmethod
    def prepare(
        cls, run: TimedRun, options: TimingOptions, folder: Path, report: Report
    ) -> "Prepared":
        """Reads the networks from the store and writes them as every runtime wants them."""
        inputs = Inputs.unpack(run.entry(run.inputs_key))
        sample = inputs.images[:_SAMPLE]
        np.save(folder / "images.npy", inputs.images)
        np.save(folder / "sample.npy", sample)
        files = encode(sample, folder / "files") if options.include_decode else None
        dtype = torch.from_numpy(sample[:0]).dtype
        exporter = Exporter(dtype, len(inputs.classes), list(run.anchors))
        computations: dict[str, Computation] = {}
        others: dict[str, str] = {}
        other_folders, scored = {}, []
        networks = run.scored(all_seeds=options.plan == "thorough")
        for done, entry in enumerate(networks):
            report(f"model files of {entry.network}", done, len(networks))
            trained, embedded = run.entry(entry.store.trained), run.entry(entry.store.embedded)
            network = TrainedFiles.of(trained, embedded)
            wanted = _wanted(network, run.anchors[-1], computations, others)
            whole, alone = exporter.write(
                network,
                inputs.calibration[network.seed],
                folder / f"network-{done}",  # no name from the manifest becomes a path
                {name: folder / f"network-{done}-{i}" for i, name in enumerate(wanted)},
            )
            scored.append((network, whole))
            for decision, model in wanted.items():
                if model in others:
                    other_folders[model] = alone[decision]
                else:
                    size: tuple[int | None, float | None]
                    if network.backbone is not None:
                        size = onnx_size(alone[decision].folder / MODEL, network.shape)
                    else:
                        size = size_of(network.module.only(decision), network.shape, dtype)
                    computations[model] = Computation(
                        model, network.arch, decision == HEAD, alone[decision], *size
                    )
        parts = SessionParts(str(folder / "sample.npy"), inputs.classes, files)
        gemm = write_gemm(folder / "gemm")
        images = str(folder / "images.npy")
        last_first = sorted(networks, key=lambda network: -network.seed)
        keys = {network.network: network.store.trained for network in last_first}
        return cls(inputs, images, parts, computations, others, other_folders, scored, keys, gemm)

    def cases(
        self, settings: list[Setting], plan: SamplingPlan, most: int
    ) -> list[tuple[Setting, Case]]:
        """Every computation at every setting and batch size.

        And the models of other networks, to compare their speed, in fp32 on the `most` threads.
        """
        cases = [
            (setting, Case(model, size))
            for setting in settings
            for model, computation in self.computations.items()
            for size in (plan.head_batches if computation.by_head else None) or plan.batches
        ]
        compared = [
            (setting, Case(model, 1))
            for setting in settings
            for model in self.others
            if setting.threads == most and setting.runtime.precision == "fp32"
        ]
        return cases + compared


def _wanted(
    network: TrainedFiles, anchor: str, computations: dict[str, Computation], others: dict[str, str]
) -> dict[str, str]:
    """The decisions of a network that are timed, each with the name of its model.

    A computation is timed of the first network that has it. By anchors it is timed of a second
    network too, to compare the two; that one is noted in `others`.
    """
    wanted = {}
    for decision in (anchor, HEAD):
        name = computation_of(network.arch, decision)
        if decision in network.module.decisions and name not in computations:
            wanted[decision] = name
        elif decision != HEAD and name not in others.values():
            wanted[decision] = f"{name}, {network.network}-{network.seed}"
            others[wanted[decision]] = name
    return wanted
