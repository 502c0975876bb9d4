"""How large a network that others trained is, counted in its ONNX graph."""

from math import prod
from pathlib import Path

from gaikan.bundle.graph import INPUT
from gaikan.networks import ImageShape

_PRODUCTS = ("Conv", "Gemm", "MatMul")


def onnx_size(path: Path, shape: ImageShape) -> tuple[int | None, float | None]:
    """Parameters, and operations for one image, millions; None where it cannot be told.

    Operations are two for each multiply-add of convolutions and matrix products, as torch counts
    them for other networks. Parameters are all floating-point weights.
    """
    if not path.exists():
        return None, None
    import onnx
    from onnx import TensorProto, shape_inference

    model = onnx.load(path)
    of_input = next(value for value in model.graph.input if value.name == INPUT)
    for axis, size in zip(of_input.type.tensor_type.shape.dim, (1, *shape), strict=True):
        axis.dim_value = size
    del model.graph.value_info[:]  # what it says of other sizes
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {weight.name: [*weight.dims] for weight in graph.initializer}
    for value in (*graph.value_info, *graph.output):
        axes = value.type.tensor_type.shape.dim
        if all(axis.HasField("dim_value") for axis in axes):
            shapes[value.name] = [axis.dim_value for axis in axes]
    parameters = sum(
        prod(weight.dims) for weight in graph.initializer if weight.data_type == TensorProto.FLOAT
    )
    operations = 0
    for node in graph.node:
        if node.op_type in _PRODUCTS:
            first, second, out = (shapes.get(n) for n in (*node.input[:2], node.output[0]))
            if first is None or second is None or out is None:
                return parameters, None
            terms = prod(second[1:]) if node.op_type == "Conv" else prod(first) // prod(out[:-1])
            operations += 2 * prod(out) * terms
    return parameters, operations / 1e6
