"""The inspection module against the reference path, and its ONNX graph against the module."""

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from gaikan.bundle.decision import ASK, DEFECTIVE
from gaikan.bundle.decision import OK as GOOD
from gaikan.bundle.graph import OUTPUTS
from gaikan.export.inspector import (
    AnchorDistance,
    Decide,
    HeadDistance,
    Inspector,
    Threshold,
    to_onnx,
)
from gaikan.export.novelty_score import Novelty, NoveltyScore
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.novelty.conformal import calibration
from gaikan.novelty.gaussian import familiarity
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


def _novelty(known: NDArray[np.float32]) -> Novelty:
    """Ranked among 100 scores that are drawn around those of the known parts."""
    known_parts = familiarity(known)
    drawn = np.random.default_rng(2).permutation(np.linspace(0, 30, 100)).astype(np.float32)
    return Novelty(known_parts, np.sort(drawn))


def _inspector(
    embedder: Embedder,
    distance: nn.Module,
    threshold: Threshold | None = None,
    ask_level: float | None = None,
) -> Inspector:
    score = NoveltyScore(_novelty(_random(30, D)))
    return Inspector(embedder, Decide(distance, threshold), score, OK, ask_level)


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
        predicted, got, margin, verdict, _ = _run(_inspector(embedder, module), images)
        np.testing.assert_array_equal(verdict, predicted != OK)
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
    module = _inspector(embedder, AnchorDistance(anchors), Threshold(OK, value))
    predicted, distances, _, verdict, _ = _run(module, images)
    np.testing.assert_array_equal(verdict, predicted != OK)
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
    inspector = _inspector(_embedder(arch, shape), distance, threshold, ask_level=0.5)
    session = onnxruntime.InferenceSession(
        to_onnx(inspector, shape, dtype).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for n in (1, 3, 64):
        images = _images(shape, n, dtype)
        found = session.run([*OUTPUTS], {"images": images.numpy()})
        expected = _run(inspector, images)
        tolerances = {"distances": (1e-4, 1e-5), "margin": (1e-2, 1e-4), "novelty_p": (0, 0.021)}
        for name, own, exact in zip(OUTPUTS, found, expected, strict=True):  # 0.02: two ranks
            relative, absolute = tolerances.get(name, (0, 0))
            np.testing.assert_allclose(own, exact, rtol=relative, atol=absolute, err_msg=name)


@pytest.mark.parametrize("arch", NETWORKS)
def test_the_novelty_p_value_is_that_of_the_reference_path(arch: str) -> None:
    embedder, images = _embedder(arch, GREY), _images(GREY, 80, torch.uint8)
    with torch.inference_mode():
        embeddings = embedder(images).numpy()
    known_parts = familiarity(embeddings[:20])
    novelty = Novelty(known_parts, calibration(known_parts.score(embeddings[20:50])))
    expected = novelty.p_values(embeddings)
    assert len(np.unique(expected)) > 20
    decide, score = Decide(AnchorDistance(embeddings[:K])), NoveltyScore(novelty)
    *_, found = _run(Inspector(embedder, decide, score), images)
    low, high = novelty.p_range(embeddings)
    assert ((low - 1e-6 <= found) & (found <= high + 1e-6)).all()
    np.testing.assert_allclose(found[50:], expected[50:], atol=1e-6)  # none has a score of others


def test_only_parts_called_good_are_asked_about_and_more_of_them_at_a_higher_level() -> None:
    embedder, images = _embedder("mlp", GREY), _images(GREY, 80, torch.uint8)
    with torch.inference_mode():
        embeddings = embedder(images).numpy()
    known_parts = familiarity(embeddings[:20])
    score = NoveltyScore(Novelty(known_parts, calibration(known_parts.score(embeddings[20:50]))))
    decision, counts = Decide(AnchorDistance(embeddings[:K] + 0.01)), []
    for level in (0.0, 0.2, 0.5, 1.0):
        module = Inspector(embedder, decision, score, OK, level)
        predicted, _, _, verdict, p = _run(module, images)
        expected = np.where(predicted != OK, DEFECTIVE, np.where(p <= level, ASK, GOOD))
        np.testing.assert_array_equal(verdict, expected)
        counts.append((verdict == ASK).sum())
    assert 0 == counts[0] < counts[1] < counts[2] < counts[3] == (predicted == OK).sum()


def test_without_a_good_class_there_is_no_verdict_and_without_held_out_parts_nothing_is_new() -> (
    None
):
    embedder, images = _embedder("mlp", GREY), _images(GREY, 5, torch.uint8)
    score = NoveltyScore(Novelty(familiarity(_random(3, D)), np.empty(0, np.float32)))
    inspector = Inspector(embedder, Decide(AnchorDistance(_random(K, D))), score)
    *_, verdict, p = _run(inspector, images)
    assert verdict.tolist() == [-1] * 5
    assert p.tolist() == [1.0] * 5


@pytest.mark.parametrize("held_out", [1, 998, 999])
def test_p_values_of_the_graph_are_those_of_the_run_to_the_last_digit(held_out: int) -> None:
    """A level may be one of them."""
    known = familiarity(_random(40, D))
    calibrated = np.linspace(5, 15, held_out, dtype=np.float32)
    embeddings = _random(300, D) * np.linspace(0.1, 2, 300, dtype=np.float32)[:, None]
    novelty = Novelty(known, calibrated)
    found = NoveltyScore(novelty)(torch.from_numpy(embeddings)).numpy()
    low, high = novelty.p_range(embeddings)
    sure = low == high
    assert sure.sum() > 150
    np.testing.assert_allclose(found[sure], low[sure], rtol=1e-7)
    assert found.max() <= 1
