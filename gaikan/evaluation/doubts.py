"""Which labels are doubted: confident learning on probabilities that are out of fold.

From cleanlab (Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset
labels", JAIR 70, 2021): a label is doubted where it is among the least likely both of its class
and of the errors from its class to another (`filter_by="both"`). Probabilities are the mean over
deals, whose networks differ: what one network gets wrong is often no wrong label. How many flipped
labels this finds: bench/README.md.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_self_confidence_for_each_label
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from gaikan.data.frames import Labels
from gaikan.evaluation.out_of_fold import OutOfFold
from gaikan.training.nearest_anchor import Floats

_CROSSINGS = 5
_ITERATIONS = 1000


@dataclass(frozen=True)
class Doubts:
    """Labels to look at: the doubted ones, then as many again, the least likely of the rest.

    Both begin with the least likely. Whoever looks goes on for as long as wrong labels turn up.
    """

    index: NDArray[np.int64]  # (n,) of the parts
    proposed: NDArray[np.int64]  # (n,) the likeliest class, which is not the label
    sure: Floats  # (n,) its probability
    doubted: int  # how many of them, from the first, are doubted


@dataclass(frozen=True)
class LabelDoubts:
    """Those of both sources."""

    train: Doubts
    test: Doubts


def doubt_labels(judged: Sequence[OutOfFold], train: Labels, test: Labels) -> LabelDoubts:
    """Of the labels (N,) and (M,), by each deal's networks.

    A test part of a class that training lacks is not judged.
    """
    deals = [probabilities(each, train) for each in judged]
    of_train, of_test = (np.mean(each, 0) for each in zip(*deals, strict=True))
    known = np.flatnonzero(test < of_train.shape[1])
    return LabelDoubts(
        doubted(of_train, train, np.arange(len(train))), doubted(of_test[known], test[known], known)
    )


def probabilities(judged: OutOfFold, train: Labels) -> tuple[Floats, Floats]:
    """Of the classes, (N, K) of training and (M, K) of test parts; those have the labels (N,).

    Those of a test part are the mean over the networks of all folds.
    """
    scores, test_scores = alike(judged)
    of_train = np.zeros((len(train), len(np.unique(train))))
    # Parts of one lot help to calibrate each other: on circuit boards, whose seven lots look
    # different, one deal finds 84 % of 1 % flipped labels so, and 73 % if whole folds are left out.
    for others, held in _deal(train):
        of_train[held] = _calibration(scores[others], train[others]).predict_proba(scores[held])
    calibration = _calibration(scores, train)
    of_test: Floats = np.mean([calibration.predict_proba(some) for some in test_scores], 0)
    return of_train, of_test


def alike(judged: OutOfFold) -> tuple[Floats, Floats]:
    """Scores (N, J) of the training parts, and (F, M, J) of the test parts by each network.

    Each column has mean 0 and deviation 1 over the parts that its network judges out of fold: two
    networks have no scale in common.
    """
    scores, test = judged.train.copy(), judged.test.copy()
    for network, number in enumerate(np.unique(judged.fold)):
        held = judged.fold == number
        mean, deviation = scores[held].mean(0), scores[held].std(0)
        deviation = np.where(deviation > 0, deviation, 1)
        scores[held] = (scores[held] - mean) / deviation
        test[network] = (test[network] - mean) / deviation
    return scores, test


def _deal(labels: Labels) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(others, held) rows of labels (N,): each row is held once, and others has every class."""
    dealer = StratifiedKFold(_CROSSINGS, shuffle=True, random_state=0)
    with warnings.catch_warnings():  # a class of fewer parts than that is dealt all the same
        warnings.simplefilter("ignore", UserWarning)
        yield from dealer.split(labels, labels)


def _calibration(scores: Floats, labels: Labels) -> LogisticRegression:
    """What makes probabilities (N, K) of scores (N, J), from parts with labels (N,)."""
    with threadpool_limits(1):  # on more threads sums are rounded otherwise
        return LogisticRegression(max_iter=_ITERATIONS).fit(scores, labels)


def doubted(probabilities: Floats, labels: Labels, index: NDArray[np.int64]) -> Doubts:
    """Of the labels (N,) of parts `index` (N,), by their probabilities (N, K)."""
    if not len(labels):
        return Doubts(index, labels, np.zeros(0), 0)
    marked = find_label_issues(labels, probabilities, filter_by="both", n_jobs=1)
    others = np.flatnonzero(probabilities.argmax(1) != labels)
    own = get_self_confidence_for_each_label(labels, probabilities)
    ranked = others[np.argsort(own[others], kind="stable")]
    first = ranked[marked[ranked]]
    shown = np.concatenate([first, ranked[~marked[ranked]][: len(first)]])
    of_shown = probabilities[shown]
    return Doubts(index[shown], of_shown.argmax(1), of_shown.max(1, initial=0), len(first))
