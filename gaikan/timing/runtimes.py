"""The registry of runtimes: whether each can run here, and how it loads a model.

A runtime is imported when it is asked for: on a Raspberry Pi there is no torch.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from shutil import which
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import ConfigError, GaikanError
from gaikan.language.words import Words, say
from gaikan.run_folder.latency_rows import Row, runtime_label, runtime_of
from gaikan.system import machine

Images = NDArray[np.uint8] | NDArray[np.float32]  # raw, (N, C, H, W)
Outputs = Sequence[NDArray[np.generic]]  # the model's outputs in its own order

MODEL, INT8_MODEL, TORCH_MODEL = "model.onnx", "model-int8.onnx", "model.pt"


@dataclass(frozen=True)
class ModelFolder:
    """The folder of a model's files, and why some of them are missing."""

    folder: Path
    missing: dict[str, Words] = field(default_factory=dict)  # file name -> reason


class Loaded(Protocol):
    """A model that is ready to predict."""

    threads: int | None  # as the runtime itself states it after loading
    beside: bool = False  # whether threads other than the caller's do all the work

    def __call__(self, images: Images) -> Outputs:
        """Raw images in memory to outputs in memory."""

    def on_device(self, images: Images) -> Callable[[], float] | None:
        """A query on images that already lie on the device; gives seconds by the device's clock.

        None on the processor, which has the host's clock.
        """
        return None


Load = Callable[[Path, int, str], Loaded]  # model file, threads, precision


@dataclass(frozen=True)
class Runtime:
    """One runtime at one precision on one device; `loader` and `start` are `module:function`."""

    name: str
    precision: str
    device: str
    file: str
    loader: str
    needs: str  # the package to import
    compiles: bool = False  # with the machine's compiler, which takes long: timed only if asked for
    start: str | None = None  # what a process that has nothing but this runtime calls first

    @property
    def label(self) -> str:
        """The name in tables, in the configuration and for `--runtime`."""
        return runtime_label(self.name, self.precision, self.device)

    def setting(self, threads: int) -> "Setting":
        """The runtime on so many threads; on a GPU, threads are no setting."""
        return Setting(self, threads if self.device == "cpu" else None)

    def unavailable(self) -> Words | None:
        """Why it cannot run here; None where it can, as far as is known."""
        if find_spec(self.needs) is None:
            return say("not_installed", package=self.needs)
        if self.device == "cuda":
            import torch

            if not torch.cuda.is_available():
                return say("no_cuda")
        if self.device == "cpu" and self.precision == "bf16" and not machine.native_bf16():
            return say("no_bf16")
        if self.compiles and which(os.environ.get("CXX", "g++")) is None:
            return say("no_compiler")
        return None

    def load(self, folder: Path, threads: int | None) -> Loaded:
        """The model in `folder`, on so many threads (None: no such setting).

        Raises GaikanError where the runtime did not take the number of threads.
        """
        load: Load = resolve_name(self.loader)
        loaded = load(folder / self.file, threads or 1, self.precision)
        if self.device == "cpu" and loaded.threads != threads:
            raise GaikanError(f"set to {threads} threads, it reports {loaded.threads}")
        return loaded

    def start_alone(self, threads: int | None) -> None:
        """To come before the first model of a process that has nothing but this runtime."""
        if self.start is not None and threads is not None:
            start: Callable[[int], None] = resolve_name(self.start)
            start(threads)


@dataclass(frozen=True)
class Setting:
    """A runtime on a number of threads; each setting has a process of its own."""

    runtime: Runtime
    threads: int | None


_TORCH, _ONNX = "gaikan.timing.torch_runtimes", "gaikan.timing.onnx_runtimes"
_ORT = Runtime(
    "onnxruntime",
    "fp32",
    "cpu",
    MODEL,
    f"{_ONNX}:onnxruntime",
    "onnxruntime",
    start=f"{_ONNX}:share_threads",
)

RUNTIMES = {
    runtime.label: runtime
    for runtime in (
        Runtime("torch", "fp32", "cpu", TORCH_MODEL, f"{_TORCH}:eager", "torch"),
        Runtime("torch", "bf16", "cpu", TORCH_MODEL, f"{_TORCH}:eager", "torch"),
        Runtime("torch.compile", "fp32", "cpu", TORCH_MODEL, f"{_TORCH}:compiled", "torch", True),
        _ORT,
        replace(_ORT, precision="int8", file=INT8_MODEL),
        Runtime("openvino", "fp32", "cpu", MODEL, f"{_ONNX}:openvino", "openvino"),
        Runtime("openvino", "bf16", "cpu", MODEL, f"{_ONNX}:openvino", "openvino"),
        Runtime("openvino", "int8", "cpu", INT8_MODEL, f"{_ONNX}:openvino", "openvino"),
        Runtime("torch", "fp32", "cuda", TORCH_MODEL, f"{_TORCH}:cuda", "torch"),
        Runtime("torch", "bf16", "cuda", TORCH_MODEL, f"{_TORCH}:cuda", "torch"),
        Runtime("torch", "fp16", "cuda", TORCH_MODEL, f"{_TORCH}:cuda", "torch"),
        Runtime("cuda-graph", "fp16", "cuda", TORCH_MODEL, f"{_TORCH}:cuda_graph", "torch"),
    )
}
REFERENCE = RUNTIMES["torch-fp32"]  # what speeds and predictions of the others are compared with


def is_reference(row: Row) -> bool:
    """Whether a row of `latency.csv` is of the reference runtime."""
    return runtime_of(row) == REFERENCE.label


def chosen(labels: Sequence[str] | None) -> list[Runtime]:
    """The runtimes of those labels, in the registry's order; None: all but the optional ones.

    The reference is always among them. Raises ConfigError on an unknown label.
    """
    for label in labels or ():
        if label not in RUNTIMES:
            raise ConfigError(f"no runtime {label!r}; there are {', '.join(RUNTIMES)}")
    return [
        runtime
        for label, runtime in RUNTIMES.items()
        if runtime is REFERENCE or (not runtime.compiles if labels is None else label in labels)
    ]
