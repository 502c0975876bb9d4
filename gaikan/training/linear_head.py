"""scikit-learn's logistic regression on embeddings, as a linear layer."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gaikan.data.frames import Labels
from gaikan.errors import GaikanError
from gaikan.training.stored_network import Embeddings, LinearHead


def linear_head(embeddings: Embeddings, labels: Labels) -> LinearHead:
    """The head of embeddings (N, D) and their labels (N,) in 0..K-1, each class present.

    Embeddings are standardised first, and classes weigh alike, as in the logistic reference; the
    layer takes raw embeddings. Of two classes it gives the logit's half each way: the softmax of
    that is the sigmoid of the logit. Raises GaikanError where embeddings are not finite.
    """
    if not np.isfinite(embeddings).all():
        raise GaikanError("the network gives embeddings that are not finite")
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    with threadpool_limits(1):  # on more threads sums are rounded otherwise
        model.fit(scaler.fit_transform(embeddings.astype(np.float64)), labels)
    weight: NDArray[np.float64] = model.coef_ / scaler.scale_
    bias: NDArray[np.float64] = model.intercept_ - weight @ scaler.mean_
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return LinearHead(weight.astype(np.float32), bias.astype(np.float32))
