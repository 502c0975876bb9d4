"""Classical references: the decisions of scikit-learn, on the same split."""

import numpy as np
import pytest

from gaikan.evaluation.reference_fit import REFERENCES, class_distances, pixels


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    rows = rng.normal(size=(120, 60)) + 1.2 * np.repeat(np.eye(3), 20, axis=1)[labels]
    return rows.astype(np.float32), labels


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_least_distance_is_the_models_own_decision(
    blobs: tuple[np.ndarray, np.ndarray], name: str, n_classes: int
) -> None:
    rows, labels = (array[blobs[1] < n_classes] for array in blobs)
    model = REFERENCES[name](60, 0).fit(rows[:60], labels[:60])
    distances = class_distances(model, rows[60:])
    assert distances.shape == (len(rows) - 60, n_classes)
    predicted = model.predict(rows[60:])
    if name != "nearest_centroid":  # whose own decision scales its classes' axes
        assert (distances.argmin(1) == predicted).all()
    if name != "most_frequent":
        assert (distances.argmin(1) == labels[60:]).mean() > 1.3 / n_classes


def test_the_most_frequent_class_is_always_said(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    rows, labels = blobs
    often = np.concatenate([np.arange(120), np.flatnonzero(labels == 1)])
    model = REFERENCES["most_frequent"](len(often), 0).fit(rows[often], labels[often])
    assert (class_distances(model, rows).argmin(1) == 1).all()


def test_a_centroids_distance_equals_a_naive_loop(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    rows, labels = blobs
    distances = class_distances(REFERENCES["nearest_centroid"](120, 0).fit(rows, labels), rows[:5])
    scaled = (rows - rows.mean(0)) / rows.std(0)
    for i in range(5):
        for c in range(3):
            centroid = scaled[labels == c].mean(0)
            assert distances[i, c] == pytest.approx(np.linalg.norm(scaled[i] - centroid), rel=1e-4)


def test_the_same_state_gives_the_same_forest(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    rows, labels = blobs
    first, again, other = (
        class_distances(REFERENCES["random_forest"](60, state).fit(rows, labels), rows)
        for state in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_large_images_are_averaged_down_and_small_ones_are_not() -> None:
    images = np.arange(2 * 3 * 130 * 65).reshape(2, 3, 130, 65).astype(np.float32)
    rows = pixels(images, by_image=False)
    assert rows.shape == (2, 3 * 43 * 21)
    assert rows[0, 0] == pytest.approx(images[0, 0, :3, :3].mean())
    assert pixels(np.zeros((2, 1, 36, 39), np.uint8), by_image=False).shape == (2, 1404)


def test_by_image_exposure_does_not_matter() -> None:
    images = np.random.default_rng(0).integers(0, 120, (3, 1, 8, 8)).astype(np.uint8)
    images[2] = 70
    rows = pixels(images, by_image=True)
    np.testing.assert_allclose(rows, pixels(2 * images + 7, by_image=True), atol=1e-5)
    np.testing.assert_allclose(rows.std(1), [1, 1, 0], atol=1e-5)
