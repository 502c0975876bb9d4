"""Edits of an ONNX file without the `onnx` package, which a base install does not have.

Enrolling a class puts other anchors into a graph and leaves the rest as it is. Two other ways were
no good: with the anchors as a second input the graph could not run without this program, and as
external data the graph would still fix their number. An ONNX file is protobuf: nested fields of
(number, length, content). Finding one initialiser and writing another in its place needs only
this framing, which has been the same since 2008.

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import BundleError

INPUT = "images"
DECISION = ("predicted", "distances", "margin")  # of every graph that is timed
OUTPUTS = (*DECISION, "verdict", "novelty_p")  # of a bundle's
ANCHORS, EMBEDDING = "anchors", "embedding"  # names inside the graph

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_ATTRIBUTE, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 5, 6
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _ELEMENT_TYPE = 1, 2, 1, 1
_FLOAT = 1
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field of a protobuf message."""

    number: int
    encoded: bytes  # the whole field with its tag
    content: bytes  # empty of a varint
    value: int = 0  # of a varint


def fields(message: bytes) -> Iterator[Field]:
    """The fields of a protobuf message, in order. Raises BundleError where it is none."""
    end = 0
    while end < len(message):
        start = end
        tag, content = _varint(message, start)
        number, kind = tag >> 3, tag & 7
        value, length = 0, {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(kind, 0)
        if kind == _VARINT:
            value, content = _varint(message, content)
        elif kind == _COUNTED:
            length, content = _varint(message, content)
        elif not length:
            raise BundleError(f"not an ONNX graph (field type {kind})")
        end = content + length
        if number == 0 or end > len(message):
            raise BundleError("not an ONNX graph (a field ends after the file)")
        yield Field(number, message[start:end], message[content:end], value)


def _varint(message: bytes, start: int) -> tuple[int, int]:
    """The number that begins at `start`, and where it ends."""
    value = 0
    for shift, byte in zip(range(0, 64, 7), message[start : start + 10], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, start + shift // 7 + 1
    raise BundleError("not an ONNX graph (a number does not end)")


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _counted(number: int, content: bytes) -> bytes:
    return _encode_varint(number << 3 | _COUNTED) + _encode_varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _encode_varint(number << 3 | _VARINT) + _encode_varint(value)


def _edited(message: bytes, number: int, edit: Callable[[bytes], bytes]) -> bytes:
    """The message with the content of each field `number` put through `edit`."""
    return b"".join(
        _counted(number, edit(field.content)) if field.number == number else field.encoded
        for field in fields(message)
    )


def _tensor_name(tensor: bytes) -> str:
    names = [field.content for field in fields(tensor) if field.number == _TENSOR_NAME]
    return names[-1].decode(errors="replace") if names else ""


def anchors_of(model: bytes) -> NDArray[np.float32]:
    """The anchors (K, D) in the graph. Raises BundleError where it has none."""
    for graph in _contents(model, _MODEL_GRAPH):
        for tensor in _contents(graph, _GRAPH_INITIALIZER):
            if _tensor_name(tensor) == ANCHORS:
                return _matrix(tensor)
    raise BundleError("the graph has no anchors")


def _contents(message: bytes, number: int) -> list[bytes]:
    return [field.content for field in fields(message) if field.number == number]


def _matrix(tensor: bytes) -> NDArray[np.float32]:
    shape = [field.value for field in fields(tensor) if field.number == _TENSOR_DIMS]
    kinds = [field.value for field in fields(tensor) if field.number == _TENSOR_TYPE]
    raw = b"".join(_contents(tensor, _TENSOR_RAW))
    if kinds != [_FLOAT] or len(shape) != 2 or len(raw) != 4 * shape[0] * shape[1]:
        raise BundleError("the graph's anchors are not a float32 matrix")
    return np.frombuffer(raw, "<f4").reshape(shape).astype(np.float32)


def with_anchors(model: bytes, anchors: NDArray[np.float32]) -> bytes:
    """The graph with `anchors` (K, D) in place of its own; K may differ from before."""
    dims = b"".join(_number(_TENSOR_DIMS, size) for size in anchors.shape)
    new = (
        dims
        + _number(_TENSOR_TYPE, _FLOAT)
        + _counted(_TENSOR_NAME, ANCHORS.encode())
        + _counted(_TENSOR_RAW, np.ascontiguousarray(anchors, "<f4").tobytes())
    )
    return _edited(
        model,
        _MODEL_GRAPH,
        lambda graph: _edited(
            graph, _GRAPH_INITIALIZER, lambda old: new if _tensor_name(old) == ANCHORS else old
        ),
    )


def embedding_graph(model: bytes) -> bytes:
    """The graph up to the embeddings (N, D), with float32 images as input, as mean images are."""
    tensor_type = _counted(_TYPE_TENSOR, _number(_ELEMENT_TYPE, _FLOAT))
    value = _counted(_VALUE_NAME, EMBEDDING.encode()) + _counted(_VALUE_TYPE, tensor_type)

    def up_to_embedding(graph: bytes) -> bytes:
        kept = b"".join(f.encoded for f in fields(graph) if f.number != _GRAPH_OUTPUT)
        return _edited(kept, _GRAPH_INPUT, _takes_float) + _counted(_GRAPH_OUTPUT, value)

    return _edited(model, _MODEL_GRAPH, up_to_embedding)


def _takes_float(value: bytes) -> bytes:
    def as_float(tensor_type: bytes) -> bytes:
        shape = b"".join(f.encoded for f in fields(tensor_type) if f.number != _ELEMENT_TYPE)
        return _number(_ELEMENT_TYPE, _FLOAT) + shape

    return _edited(value, _VALUE_TYPE, lambda kind: _edited(kind, _TYPE_TENSOR, as_float))


def refuse_external_data(model: bytes) -> None:
    """Raises BundleError where a tensor is to be read from another file."""
    for graph in _contents(model, _MODEL_GRAPH):
        _refuse_in_graph(graph, depth=0)


def _refuse_in_graph(graph: bytes, depth: int) -> None:
    if depth > 4:
        raise BundleError("the graph has graphs in graphs, which no inspection needs")
    tensors = _contents(graph, _GRAPH_INITIALIZER)
    for node in _contents(graph, _GRAPH_NODE):
        for attribute in _contents(node, _NODE_ATTRIBUTE):
            tensors += _contents(attribute, _ATTRIBUTE_TENSOR)
            for inner in _contents(attribute, _ATTRIBUTE_GRAPH):
                _refuse_in_graph(inner, depth + 1)
    for tensor in tensors:
        if any(
            f.number == _TENSOR_EXTERNAL or (f.number == _TENSOR_LOCATION and f.value != 0)
            for f in fields(tensor)
        ):
            raise BundleError(
                f"the graph wants to read {_tensor_name(tensor)!r} from another file; refused"
            )
