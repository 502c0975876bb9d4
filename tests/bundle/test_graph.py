"""Edits of a bundle's graph, against the onnx package."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_bundle import embedded, graph, images

from gaikan.bundle.graph import anchors_of, embedding_graph, fields, with_anchors
from gaikan.errors import BundleError


def run(model: bytes, some: NDArray[Any]) -> list[NDArray[Any]]:
    results: list[NDArray[Any]] = onnxruntime.InferenceSession(model).run(None, {"images": some})
    return results


@given(st.binary(max_size=60))
def test_noise_is_read_as_fields_or_refused(noise: bytes) -> None:
    try:
        found = list(fields(noise))
    except BundleError:
        return
    assert b"".join(field.encoded for field in found) == noise


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=9), st.binary(max_size=200), st.text())
def test_fields_are_those_that_protobuf_writes(whole: list[int], raw: bytes, name: str) -> None:
    dims = [number - 2**63 for number in whole]
    tensor = onnx.TensorProto(dims=dims, raw_data=raw, name=name)
    found = list(fields(tensor.SerializeToString()))
    assert [f.value for f in found if f.number == 1] == [number % 2**64 for number in dims]
    assert b"".join(f.content for f in found if f.number == 9) == raw
    assert b"".join(f.content for f in found if f.number == 8).decode() == name


@pytest.mark.parametrize("n_classes", [2, 3, 9])
@pytest.mark.parametrize("threshold", [None, 0.05])
def test_a_graph_with_other_anchors_is_what_onnx_makes_of_it(
    n_classes: int, threshold: float | None
) -> None:
    model = graph(torch.uint8, threshold, 1)
    new = embedded(images(n_classes, 7)) + np.float32(0.02)
    edited = with_anchors(model, new)
    np.testing.assert_array_equal(anchors_of(edited), new)
    reference = onnx.load_from_string(model)
    (tensor,) = (t for t in reference.graph.initializer if t.name == "anchors")
    tensor.CopyFrom(onnx.numpy_helper.from_array(new, "anchors"))
    assert onnx.load_from_string(edited) == reference
    onnx.checker.check_model(edited, full_check=True)
    some = images(40, 8)
    predicted, distances, margin, *_ = run(edited, some)
    expected = np.linalg.norm(embedded(some)[:, None] - new, axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-4)
    np.testing.assert_allclose(margin, np.diff(np.sort(expected))[:, 0], atol=1e-5)
    if threshold is None:
        np.testing.assert_array_equal(predicted, expected.argmin(1))
    else:
        is_ok = expected[:, 1:].min(1) - expected[:, 0] > threshold
        np.testing.assert_array_equal(predicted == 0, is_ok)


def test_a_graph_up_to_the_embedding_takes_fractions_of_a_grey_level() -> None:
    some = images(5).astype(np.float32) + np.float32(0.37)
    found = run(embedding_graph(graph(torch.uint8, None, 1)), some)
    assert len(found) == 1
    np.testing.assert_allclose(found[0], embedded(some), rtol=1e-4, atol=1e-6)
