"""A variant of the grid as a scikit-learn classifier over images."""

from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from gaikan.config.checked import validated
from gaikan.config.model import Config
from gaikan.data.frames import Frames, Images
from gaikan.data.split import split
from gaikan.errors import GaikanError
from gaikan.estimators.anchor_classifier import AnchorClassifier
from gaikan.grid.cells import cells, resolve_device
from gaikan.networks import Embedder
from gaikan.training.cell import Arrays, Cell, Finished, resident, work
from gaikan.training.embed import embed
from gaikan.training.nearest_anchor import head_distances
from gaikan.training.stored_network import LinearHead, StoredEmbeddings, StoredNetwork


def _has_head(classifier: "InspectionClassifier") -> bool:
    """Whether it is fitted and its network decides by itself too."""
    return getattr(classifier, "head_", None) is not None


class InspectionClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Trains one network of the grid and classifies images by its nearest anchor.

    Images are (N, C, H, W) or, grey, (N, H, W), not normalised: that is done inside. 40 % of them
    are held out to choose the epoch, as in a run; parts of one of `groups` (lot, board) are all
    held out or all trained on.

    Parameters
    ----------
    arch, style, anchor : names as in the grid
    epochs : of cnn and resnet; the mlp trains 3.5 times as many
    shift, flip : how an image may be changed and still show the same part; see `[augment]`
    device : auto, cpu or cuda
    random_state : of the split, the initial weights and the batches

    Attributes
    ----------
    classes_ : (K,) the labels, sorted
    anchors_ : the fitted AnchorClassifier over embeddings
    embedder_ : torch module from raw images to embeddings (N, D)
    head_ : the network's own softmax head; None of a style that has none

    """

    classes_: NDArray[np.generic]
    anchors_: AnchorClassifier
    embedder_: Embedder
    head_: LinearHead | None

    def __init__(
        self,
        arch: str = "cnn",
        style: str = "triplet",
        anchor: str = "mean_embedding",
        *,
        epochs: int = 24,
        shift: float = 0.08,
        flip: str = "none",
        device: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.arch = arch
        self.style = style
        self.anchor = anchor
        self.epochs = epochs
        self.shift = shift
        self.flip = flip
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:  # noqa: N803
        """Trains on images with labels (N,). Raises GaikanError where the training fails."""
        images, labels = _images(X), column_or_1d(y)
        check_consistent_length(images, labels, groups)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        names = tuple(map(str, self.classes_))
        lots = None if groups is None else np.asarray(groups, np.str_)
        rows = np.arange(len(images))
        frames = Frames("X", images, index, names, names, rows, groups=lots)
        cell = self._cell(frames)
        finished = _run(cell, frames)
        if finished.trained is None or finished.embedded is None:
            raise GaikanError(f"{cell.network}: {finished.failure}")
        self.embedder_ = StoredNetwork.unpack(finished.trained).fast_embedder()
        decisions = StoredEmbeddings.unpack(finished.embedded)
        self.head_ = decisions.head
        self.anchors_ = AnchorClassifier().fit(decisions.anchors[self.anchor], self.classes_)
        return self

    def _cell(self, frames: Frames) -> Cell:
        """The cell of the grid that these parameters name. Raises ConfigError on a wrong one."""
        values = {
            "seeds": 1,
            "base_seed": self.random_state,
            "device": self.device,
            "grid": {"arch": [self.arch], "style": [self.style], "anchor": [self.anchor]},
            "train": {"epochs": self.epochs},
            "augment": {"shift": self.shift, "flip": self.flip},
        }
        config = validated(Config, values, type(self).__name__)
        parts = {self.random_state: split(frames, self.random_state)}
        (cell,) = cells(config, resolve_device(self.device), parts, frames)
        return cell

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Embeddings (N, D) of images."""
        check_is_fitted(self)
        return embed(self.embedder_, torch.from_numpy(_images(X)))

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:  # noqa: N803
        """The class (N,) of the nearest anchor."""
        embeddings = self.transform(X)
        return self.anchors_.predict(embeddings)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """That of `AnchorClassifier`: (N, K), or (N,) with two classes."""
        embeddings = self.transform(X)
        return self.anchors_.decision_function(embeddings)

    @available_if(_has_head)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Probabilities (N, K) by the network's own head; there once a style with one is fitted.

        `predict` goes by the anchors: for some parts it gives another class than the likeliest.
        """
        assert self.head_ is not None
        return 1 - head_distances(self.transform(X), self.head_.weight, self.head_.bias)

    def __sklearn_tags__(self) -> Tags:
        """States that X holds images, not a table of features."""
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _images(X: ArrayLike) -> Images:  # noqa: N803
    """X as images (N, C, H, W), uint8 or float32. Raises ValueError on another shape."""
    dtype = np.uint8 if np.asarray(X).dtype == np.uint8 else np.float32
    images: Images = check_array(X, dtype=dtype, allow_nd=True, ensure_2d=False, input_name="X")
    if images.ndim not in (3, 4):
        raise ValueError(f"X: shape {images.shape}; images are (N, C, H, W) or, grey, (N, H, W)")
    # Writable: torch takes no others.
    return np.require(images[:, None] if images.ndim == 3 else images, None, ["C", "W"])


def _run(cell: Cell, frames: Frames) -> Finished:
    """Trains and embeds the cell in this process, as a worker of the grid does."""
    no_test = frames.take(np.arange(0))
    try:
        return work(cell, Arrays.of(frames, no_test), None, lambda epoch, loss: None)
    finally:
        resident.cache_clear()  # holds the images
