"""Quantises an ONNX model to int8."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaikan.bundle.graph import INPUT
from gaikan.data.frames import Images
from gaikan.data.limits import at_once

if TYPE_CHECKING:
    from onnx import ModelProto

_OF_DECISIONS = (  # how their weights' names begin, in the models that are timed and in bundles
    "decisions.",
    *("decide.", "inspector.decide."),
    *("novelty.", "inspector.novelty."),
)


def quantized(model: "ModelProto", calibration: Images) -> "ModelProto":
    """The ONNX model in int8 by static quantisation; the decision itself stays in fp32.

    Weights per channel and in 7 bits, activations in uint8: without VNNI, products of full
    8-bit numbers overflow the 16-bit sums of the processor (ONNX Runtime documentation,
    "Quantize ONNX models", on `reduce_range`).
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static

    of_decisions = {
        initializer.name
        for initializer in model.graph.initializer
        if initializer.name.startswith(_OF_DECISIONS)
    }
    excluded = [node.name for node in model.graph.node if of_decisions & set(node.input)]
    copy = type(model)()
    copy.CopyFrom(model)  # `quantize_static` moves the weights of what it is given to a file
    result = io.BytesIO()
    with _quiet():
        quantize_static(
            copy,
            result,
            _Calibration(calibration),
            op_types_to_quantize=["Conv", "Gemm", "MatMul", "MaxPool"],
            nodes_to_exclude=excluded,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    return onnx.load_from_string(result.getvalue())


class _Calibration:
    """Gives `quantize_static` its images batch by batch."""

    def __init__(self, images: Images) -> None:
        step = at_once(images.shape, 64)
        self._batches = iter(np.array_split(images, max(1, len(images) // step)))

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        """The next batch; None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides a warning: `quantize_static` advises a preparation that the exporter has done."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
