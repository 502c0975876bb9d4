"""The nearest anchor as a scikit-learn classifier over embeddings."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from gaikan.anchors import FitPart
from gaikan.anchors.mean_embedding import mean_embedding
from gaikan.training.nearest_anchor import anchor_distances, nearest


class AnchorClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Gives a part the class whose anchor, the mean embedding of its parts, is nearest.

    The anchors and the decision are those of the grid's `mean_embedding` variants.

    Attributes
    ----------
    classes_ : (K,) the labels, sorted
    anchors_ : (K, D) float32
    n_features_in_ : D

    Examples
    --------
    >>> from gaikan import AnchorClassifier
    >>> line = AnchorClassifier().fit([[0, 0], [0, 2], [9, 9]], ["ok", "ok", "burr"])
    >>> line.predict([[1, 1], [7, 8]]).tolist()
    ['ok', 'burr']

    """

    classes_: NDArray[np.generic]
    anchors_: NDArray[np.float32]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Makes the anchors from embeddings (N, D) with labels (N,)."""
        embeddings, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        fit = FitPart(embeddings, index, embeddings, len(self.classes_), np.asarray)
        self.anchors_ = mean_embedding(fit)
        return self

    def distances(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Euclidean distances (N, K) of embeddings (N, D) to the anchors."""
        check_is_fitted(self)
        embeddings = validate_data(self, X, dtype=np.float64, reset=False)
        return anchor_distances(embeddings, self.anchors_)

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:  # noqa: N803
        """The class (N,) of the nearest anchor; of equally near ones the first."""
        index = nearest(self.distances(X))
        return self.classes_[index]

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Minus the distances (N, K); with two classes, how much nearer the second is, (N,)."""
        distances = self.distances(X)
        return distances[:, 0] - distances[:, 1] if distances.shape[1] == 2 else -distances
