"""A small network as an ONNX file, as somebody else may have trained it: weights from a seed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from gaikan.networks import ImageShape, OnnxBackbone

Axis = int | str
GREY: ImageShape = (1, 12, 10)


def write_backbone(
    path: Path,
    channels: Axis = 1,
    size: Sequence[Axis] = ("height", "width"),
    batch: Axis = "batch",
    pooled: bool = True,
    opset: int = 17,
    features: int = 12,
) -> Path:
    """Convolution, ReLU and maximum over 2 x 2; `pooled` also the mean over places, else a map."""
    rng = np.random.default_rng(5)
    taken = channels if isinstance(channels, int) else 1
    weight = rng.normal(0, 0.3, (features, taken, 3, 3)).astype(np.float32)
    bias = rng.normal(0, 0.3, features).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "weight", "bias"], ["conv"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"], "relu"),
        helper.make_node("MaxPool", ["relu"], ["map"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    result, axes = "map", [batch, features, "h", "w"]
    if pooled:
        nodes += [
            helper.make_node("GlobalAveragePool", ["map"], ["mean"], "mean"),
            helper.make_node("Flatten", ["mean"], ["embedding"], "flat"),
        ]
        result, axes = "embedding", [batch, features]
    graph = helper.make_graph(
        nodes,
        "backbone",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, channels, *size])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, axes)],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def loaded(path: Path, shape: ImageShape = GREY) -> OnnxBackbone:
    """The network of the file, for images of this shape."""
    return OnnxBackbone(shape, torch.from_numpy(np.frombuffer(path.read_bytes(), np.uint8).copy()))
