"""Runs a bundle's graph with ONNX Runtime, or with OpenVINO where that is asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.data.frames import Images
from gaikan.errors import BundleError, first_line
from gaikan.system import machine

Run = Callable[[Images], list[NDArray[Any]]]


def open_session(model: bytes, runtime: str, outputs: tuple[str, ...]) -> Run:
    """A function from images (N, C, H, W) to the named outputs of the graph.

    All cores are used. Raises BundleError where the runtime is missing or refuses the graph.
    """
    opener = {"onnx": _onnxruntime, "openvino": _openvino}[runtime]
    try:
        return opener(model, list(outputs))
    except ModuleNotFoundError as error:
        raise BundleError(
            f"the bundle runs with {error.name}, which is missing: "
            "pip install 'gaikan[runtimes]', or export it with --runtime onnx"
        ) from None
    except Exception as error:  # each runtime has exceptions of its own, some of them private
        raise BundleError(f"{runtime} refuses the graph ({first_line(error)})") from None


def _onnxruntime(model: bytes, outputs: list[str]) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what matters is raised
    options.intra_op_num_threads = machine.rationed_cores() or 0  # 0: the runtime chooses
    # Between batches this process reads and writes: threads that spin meanwhile take its cores.
    # An mlp, batches of 64, 2 busy cores: 117 microseconds an image instead of 195.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (name,) = (value.name for value in session.get_inputs())

    def run(images: Images) -> list[NDArray[Any]]:
        results: list[NDArray[Any]] = session.run(outputs, {name: images})
        return results

    return run


def _openvino(model: bytes, outputs: list[str]) -> Run:
    import openvino

    core = openvino.Core()
    # Without it, OpenVINO computes in bfloat16 where the processor can: less exact.
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
    if (cores := machine.rationed_cores()) is not None:
        settings["INFERENCE_NUM_THREADS"] = cores
    compiled = core.compile_model(core.read_model(model, b""), "CPU", settings)
    ports = [compiled.output(name) for name in outputs]
    request = compiled.create_infer_request()

    def run(images: Images) -> list[NDArray[Any]]:
        results = request.infer([images])
        return [np.array(results[port]) for port in ports]

    return run
