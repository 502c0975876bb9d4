"""The anchor classifier as scikit-learn sees it, and against its nearest centroid."""

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestCentroid
from sklearn.utils.estimator_checks import check_estimator

from gaikan import AnchorClassifier


def test_the_anchor_classifier_is_all_that_scikit_learn_asks() -> None:
    results = check_estimator(AnchorClassifier(), on_skip=None)
    assert len(results) > 40
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    # Skipped: what needs SCIPY_ARRAY_API, and what an estimator without such a parameter lacks.
    assert sum(result["status"] == "skipped" for result in results) <= 2


def points(seed: int, n: int = 60) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    return rng.normal(size=(n, 5)) + 2 * np.eye(5)[labels], labels


def test_the_nearest_anchor_is_the_nearest_centroid() -> None:
    (fit, labels), (test, _) = points(0), points(1)
    ours, theirs = AnchorClassifier().fit(fit, labels), NearestCentroid().fit(fit, labels)
    np.testing.assert_array_equal(ours.predict(test), theirs.predict(test))
    expected = np.linalg.norm(test[:, None] - theirs.centroids_, axis=2)
    np.testing.assert_allclose(ours.decision_function(test), -expected, rtol=1e-5)
    two = AnchorClassifier().fit(fit, labels > 1)
    np.testing.assert_array_equal(two.decision_function(test) > 0, two.predict(test))
