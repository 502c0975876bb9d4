"""Distances and decisions, against naive loops."""

import numpy as np
import pytest

from gaikan.training.nearest_anchor import anchor_distances, decide, head_distances


def test_distances_equal_a_naive_loop() -> None:
    rng = np.random.default_rng(0)
    points, anchors = rng.random((5, 4), np.float32), rng.random((3, 4), np.float32)
    naive = [[np.linalg.norm(p.astype(float) - a) for a in anchors] for p in points]
    np.testing.assert_allclose(anchor_distances(points, anchors), naive, rtol=1e-6)


def test_a_decision_holds_the_nearest_class_and_by_how_much() -> None:
    decision = decide(np.array([[3.0, 1.0, 1.5], [0.2, 0.9, 0.4]]), ok=0)
    assert decision.predicted.tolist() == [1, 0]
    assert decision.ok_margin is not None
    np.testing.assert_allclose(decision.distance, [1, 0.2])
    np.testing.assert_allclose(decision.margin, [0.5, 0.2])
    np.testing.assert_allclose(decision.ok_margin, [-2, 0.2])
    assert decision.defect is not None
    assert decision.defect.tolist() == [1, 2]


def test_the_nearest_defective_class_is_never_the_good_one() -> None:
    distances = np.random.default_rng(0).random((200, 4))
    for ok in range(4):
        others = [i for i in range(4) if i != ok]
        naive = [min(others, key=lambda i: row[i]) for row in distances.tolist()]
        defect = decide(distances, ok).defect
        assert defect is not None
        assert defect.tolist() == naive


def test_a_distance_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        decide(np.array([[np.nan, 1.0]]))


def test_a_head_decides_as_its_logits_do() -> None:
    rng = np.random.default_rng(1)
    points, weight = rng.random((20, 4), np.float32), rng.random((3, 4), np.float32)
    bias = rng.random(3, np.float32)
    logits = points @ weight.T + bias
    assert (head_distances(points, weight, bias).argmin(1) == logits.argmax(1)).all()
