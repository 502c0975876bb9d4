"""The inspection module against the reference path, and its ONNX graph against the module."""

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from gaikan.export.inspector import AnchorDistance, HeadDistance, Inspector, Threshold, to_onnx
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.training.nearest_anchor import anchor_distances, decide, head_distances

GREY: ImageShape = (1, 36, 39)
COLOUR: ImageShape = (3, 20, 24)
K, D, OK = 7, 128, 2


def _embedder(arch: str, shape: ImageShape) -> Embedder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mean, std = torch.full((shape[0],), 120.0), torch.full((shape[0],), 60.0)
        return Embedder(NETWORKS[arch](shape), mean, std).eval()


def _images(shape: ImageShape, n: int, dtype: torch.dtype) -> torch.Tensor:
    draw = np.random.default_rng(n).integers(0, 256, (n, *shape))
    return torch.from_numpy(draw).to(dtype)


def _random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def _run(inspector: Inspector, images: torch.Tensor) -> list[NDArray[np.float64]]:
    with torch.inference_mode():
        return [output.numpy() for output in inspector(images)]


@pytest.mark.parametrize("arch", NETWORKS)
def test_decisions_are_those_of_the_reference_path(arch: str) -> None:
    embedder, images = _embedder(arch, GREY), _images(GREY, 50, torch.uint8)
    with torch.inference_mode():
        embeddings = embedder(images).numpy()
    anchors, weight, bias = embeddings[:K] + 0.01, _random(K, D), _random(K)
    for module, distances in (
        (AnchorDistance(anchors), anchor_distances(embeddings, anchors)),
        (HeadDistance(weight, bias), head_distances(embeddings, weight, bias)),
    ):
        expected = decide(distances)
        predicted, got, margin = _run(Inspector(embedder, module), images)
        np.testing.assert_array_equal(predicted, expected.predicted)
        np.testing.assert_allclose(got, distances, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(margin, expected.margin, rtol=1e-3, atol=1e-5)


def test_a_threshold_moves_the_boundary_between_good_and_defective() -> None:
    embedder, images = _embedder("mlp", GREY), _images(GREY, 80, torch.uint8)
    with torch.inference_mode():
        embeddings = embedder(images).numpy()
    anchors = embeddings[:K] + 0.01
    ok_margin = decide(anchor_distances(embeddings, anchors), OK).ok_margin
    assert ok_margin is not None
    value = float(np.median(ok_margin))
    predicted, distances, _ = _run(
        Inspector(embedder, AnchorDistance(anchors), Threshold(OK, value)), images
    )
    np.testing.assert_array_equal(predicted == OK, ok_margin > value)
    called_defective = predicted != OK
    nearest_defect = np.where(np.arange(K) == OK, np.inf, distances).argmin(1)
    np.testing.assert_array_equal(predicted[called_defective], nearest_defect[called_defective])


@pytest.mark.parametrize(
    ("arch", "shape", "dtype", "head", "threshold"),
    [
        ("mlp", GREY, torch.uint8, True, None),
        ("cnn", GREY, torch.uint8, False, Threshold(OK, 0.003)),
        ("cnn", COLOUR, torch.float32, False, None),
    ],
)
def test_the_onnx_graph_computes_the_same_for_any_batch_size(
    arch: str, shape: ImageShape, dtype: torch.dtype, head: bool, threshold: Threshold | None
) -> None:
    distance = HeadDistance(_random(K, D), _random(K)) if head else AnchorDistance(_random(K, D))
    inspector = Inspector(_embedder(arch, shape), distance, threshold)
    session = onnxruntime.InferenceSession(
        to_onnx(inspector, shape, dtype).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for n in (1, 3, 64):
        images = _images(shape, n, dtype)
        predicted, distances, margin = session.run(None, {"images": images.numpy()})
        expected = _run(inspector, images)
        np.testing.assert_array_equal(predicted, expected[0])
        np.testing.assert_allclose(distances, expected[1], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(margin, expected[2], rtol=1e-2, atol=1e-4)
