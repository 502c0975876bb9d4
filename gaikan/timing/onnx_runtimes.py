"""Runs an ONNX file in ONNX Runtime or in OpenVINO. Needs neither torch nor onnx."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gaikan.timing.runtimes import Images, Loaded, Outputs

if TYPE_CHECKING:
    import openvino as ov


class _InferenceSession(Protocol):
    """What is used of ONNX Runtime's session: the package has no types."""

    def run(self, outputs: None, inputs: dict[str, Images]) -> Outputs: ...


@dataclass
class OnnxSession(Loaded):
    """An ONNX Runtime session."""

    session: _InferenceSession
    input: str
    threads: int | None

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs."""
        return self.session.run(None, {self.input: images})


_TASKS = Path("/proc/self/task")
_pool: list[int] = []  # how many threads all sessions share, once they do


def share_threads(threads: int) -> None:
    """All sessions of this process compute on the same `threads`, from now on.

    Otherwise each has its own, which spin for 50 ms after a query, on the cores of the next
    model's: a small one then takes 1.0 to 1.6 times as long. A pool does not state its size: on
    Linux its threads are counted, beside the caller's.
    """
    import onnxruntime as ort

    if threads > 1 and not _pool:
        before = _count_threads()
        ort.set_global_thread_pool_sizes(threads, 1)
        _pool.append(1 + _count_threads() - before if before else threads)


def _count_threads() -> int:
    return len(list(_TASKS.iterdir())) if _TASKS.exists() else 0


def onnxruntime(path: Path, threads: int, precision: str) -> Loaded:
    """Sequential execution on `threads` intra-operator threads, in the precision of the file."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    if _pool:
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    read_back = _pool[0] if _pool else session.get_session_options().intra_op_num_threads
    return OnnxSession(session, session.get_inputs()[0].name, read_back)


@dataclass
class OpenVinoModel(Loaded):
    """A compiled model, with a request of its own for each shape of images."""

    compiled: "ov.CompiledModel"
    threads: int | None
    beside: bool
    requests: dict[tuple[int, ...], "_Request"] = field(default_factory=dict)

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs, which the next call with as many images overwrites."""
        request = self.requests.get(images.shape)
        if request is None:
            request = self.requests[images.shape] = _Request(self.compiled, images)
        return request(images)


class _Request:
    """An inference request whose input and output arrays are handed over once, at the start.

    Handing over an array takes OpenVINO 50 microseconds, and so does asking for one; `infer` takes
    100 microseconds longer than `start_async` and `wait`.
    """

    def __init__(self, compiled: "ov.CompiledModel", images: Images) -> None:
        import openvino as ov

        self._request = compiled.create_infer_request()
        self._images = np.array(images, order="C")
        self._request.set_input_tensor(ov.Tensor(self._images, shared_memory=True))
        self._run()  # only then are the shapes of the outputs known
        self._outputs = [
            self._request.get_output_tensor(i).data.copy() for i in range(len(compiled.outputs))
        ]
        for i, output in enumerate(self._outputs):
            self._request.set_output_tensor(i, ov.Tensor(output, shared_memory=True))

    def __call__(self, images: Images) -> Outputs:
        np.copyto(self._images, images)
        self._run()
        return self._outputs

    def _run(self) -> None:
        self._request.start_async()
        self._request.wait()


def openvino(path: Path, threads: int, precision: str) -> Loaded:
    """The model on so many threads; with one thread, the caller's own computes.

    What is not computed in bf16 must be asked for in fp32: OpenVINO chooses bf16 by itself where
    the CPU has it.

    With more, a stream computes: a thread beside the caller's, and handing over to it takes 100
    microseconds. Without a stream, OpenVINO states 0 threads and 0 streams
    (https://github.com/openvinotoolkit/openvino/pull/20975).
    """
    import openvino as ov

    streams = min(threads - 1, 1)
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
    }
    core = ov.Core()
    compiled = core.compile_model(_with_short_indices(core.read_model(path)), "CPU", settings)
    stated = [int(compiled.get_property(name)) for name in ("INFERENCE_NUM_THREADS", "NUM_STREAMS")]
    return OpenVinoModel(compiled, 1 if stated == [0, 0] else stated[0], beside=streams > 0)


def _with_short_indices(model: "ov.Model") -> "ov.Model":
    """The model with int32 outputs in place of int64: OpenVINO counts in int32 itself.

    Widening the class of a single image takes 30 microseconds.
    """
    import openvino as ov

    wrapped = ov.preprocess.PrePostProcessor(model)
    for i, output in enumerate(model.outputs):
        if output.element_type == ov.Type.i64:
            wrapped.output(i).tensor().set_element_type(ov.Type.i32)
    return wrapped.build()
