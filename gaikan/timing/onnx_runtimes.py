"""ONNX Runtime and OpenVINO on an ONNX file. Needs neither torch nor onnx."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaikan.timing.runtimes import Images, Loaded, Outputs


@dataclass
class OnnxSession:
    """An ONNX Runtime session."""

    session: Any
    input: str
    threads: int | None

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs."""
        outputs: Outputs = self.session.run(None, {self.input: images})
        return outputs

    def on_device(self, images: Images) -> Callable[[], float] | None:
        """The processor is the host: there is no other clock."""
        return None


def onnxruntime(path: Path, threads: int) -> Loaded:
    """Sequential execution on `threads` intra-operator threads."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    read_back = session.get_session_options().intra_op_num_threads
    return OnnxSession(session, session.get_inputs()[0].name, read_back)


@dataclass
class OpenVinoRequest:
    """An OpenVINO inference request; its outputs share the request's memory until the next."""

    request: Any
    n_outputs: int
    threads: int | None

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs."""
        results = self.request.infer([images], share_inputs=True, share_outputs=True)
        return [results[i] for i in range(self.n_outputs)]

    def on_device(self, images: Images) -> Callable[[], float] | None:
        """The processor is the host: there is no other clock."""
        return None


def openvino_fp32(path: Path, threads: int) -> Loaded:
    """One stream; without the hint, OpenVINO would choose bf16 by itself where the CPU has it."""
    return _openvino(path, threads, "f32")


def openvino_bf16(path: Path, threads: int) -> Loaded:
    """The fp32 file, computed in bf16."""
    return _openvino(path, threads, "bf16")


def _openvino(path: Path, threads: int, precision: str) -> Loaded:
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    read_back = int(compiled.get_property("INFERENCE_NUM_THREADS"))
    return OpenVinoRequest(compiled.create_infer_request(), len(compiled.outputs), read_back)
