"""The head of a frozen network: scikit-learn's own probabilities."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaikan.errors import GaikanError
from gaikan.training.linear_head import linear_head
from gaikan.training.nearest_anchor import head_distances


@pytest.mark.parametrize("n_classes", [2, 3])
def test_its_distances_are_one_minus_the_probabilities(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.r_[rng.integers(0, n_classes, 90), np.arange(n_classes)]
    centres = rng.normal(size=(n_classes, 5))
    scales = np.array([1, 10, 0.1, 1, 0])  # the last axis is constant
    embeddings = ((centres[labels] + rng.normal(size=(len(labels), 5))) * scales + 3).astype("f4")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
    ).fit(embeddings.astype(float), labels)
    head = linear_head(embeddings, labels)
    distances = head_distances(embeddings, head.weight, head.bias)
    expected = 1 - model.predict_proba(embeddings.astype(float))
    np.testing.assert_allclose(distances, expected, atol=1e-4)
    assert (distances.argmin(1) == labels).mean() > 0.6


def test_embeddings_that_are_not_finite_are_told() -> None:
    embeddings = np.array([[0, 1], [np.nan, 2]], np.float32)
    with pytest.raises(GaikanError, match="embeddings that are not finite"):
        linear_head(embeddings, np.array([0, 1]))
