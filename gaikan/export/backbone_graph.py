"""Puts the graph of a network that others trained in the place that an export has kept for it."""

from typing import TYPE_CHECKING

from gaikan.errors import ConfigError, first_line
from gaikan.networks.onnx_backbone import PLACEHOLDER

if TYPE_CHECKING:
    from onnx import ModelProto

_PREFIX = "backbone/"  # of all names in the file's graph: none is then one of the export's


def with_backbone(model: "ModelProto", content: bytes) -> "ModelProto":
    """`model` with the graph of the ONNX file `content` instead of its placeholder.

    The older of the two is converted to the other's opset. Raises ConfigError where onnx cannot.
    """
    import onnx
    from onnx import compose, helper

    domain, _, kind = PLACEHOLDER.partition("::")
    backbone = onnx.load_from_string(content)
    newest = max(_opset(model), _opset(backbone))
    model, backbone = _converted(model, newest), _converted(backbone, newest)
    inside = compose.add_prefix(backbone, _PREFIX)
    weights = {weight.name for weight in inside.graph.initializer}
    (given,) = (value.name for value in inside.graph.input if value.name not in weights)
    graph = model.graph
    nodes = list(graph.node)
    (at,) = (i for i, node in enumerate(nodes) if (node.domain, node.op_type) == (domain, kind))
    into = helper.make_node("Identity", nodes[at].input, [given], _PREFIX + "in")
    out_of = helper.make_node(
        "Identity", [inside.graph.output[0].name], nodes[at].output, _PREFIX + "out"
    )
    del graph.node[:]
    graph.node.extend([*nodes[:at], into, *inside.graph.node, out_of, *nodes[at + 1 :]])
    graph.initializer.extend(inside.graph.initializer)
    graph.sparse_initializer.extend(inside.graph.sparse_initializer)
    model.functions.extend(inside.functions)
    others = {o.domain: o.version for o in inside.opset_import if o.domain not in ("", domain)}
    own = {o.domain: o.version for o in model.opset_import if o.domain != domain}
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*pair) for pair in (own | others).items())
    model.ir_version = max(model.ir_version, inside.ir_version)
    return model


def _opset(model: "ModelProto") -> int:
    return int(next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")))


def _converted(model: "ModelProto", opset: int) -> "ModelProto":
    from onnx import version_converter

    if _opset(model) == opset:
        return model
    try:
        converted: ModelProto = version_converter.convert_version(model, opset)
    except Exception as error:  # RuntimeError and onnx's own kinds
        raise ConfigError(
            f"the network's graph cannot be brought from opset {_opset(model)} to {opset}: "
            f"{first_line(error)}; export it anew, in opset {opset}"
        ) from None
    return converted
