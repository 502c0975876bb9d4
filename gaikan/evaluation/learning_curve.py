"""A learning curve: how the error falls with the images that are learned from, and how surely.

odds(n) = a n^-b + c, of the odds error / (1 - error). Where errors are few that is the usual power
law, error(n) = a n^-b + c (Mahmood et al., 2022, "How much more data do I need?"; Jain et al.,
2023, arXiv 2303.01598). Where most parts are wrong a share cannot fall so fast, and odds can. Three
or four sizes do not fix three numbers, so every curve of a grid is weighed by how well it fits
(Bayes' rule), and what is said are quantiles over all of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEYOND = 4.0  # so many times the largest size seen; nothing is said of more
LEVEL = 0.8
FEWEST = 3  # sizes that a curve takes
_DRAWS = 4000
_FLOORS = 24  # of the grid, above 0
_PRIOR_FREEDOM, _PRIOR_SCATTER = 4, 0.25  # of the log odds of one training, as seeds differ


@dataclass(frozen=True)
class Sizes:
    """Wrong parts of S seeds after learning from each of F sizes, ascending."""

    images: Floats  # (F,) mean number over seeds
    wrong: Floats  # (S, F) counts
    parts: Floats  # (S,) that were judged by each seed

    @property
    def accuracy(self) -> float:
        """At the largest size, the mean over seeds."""
        return 1 - float((self.wrong[:, -1] / self.parts).mean())


@dataclass(frozen=True)
class Gain:
    """The change of accuracy from the largest size seen to another, in shares of parts."""

    images: float
    accuracy: float  # at that size
    gain: float  # median
    low: float  # 80 % interval
    high: float


class TooFarError(ValueError):
    """More than `BEYOND` times the images that the curve has seen."""


@dataclass(frozen=True)
class LearningCurve:
    """Curves that may be the true one, and how much a mean over seeds scatters around them."""

    sizes: Sizes
    curves: Floats  # (3, D): ln a, b, c by draw; sizes relative to the largest
    scatter: Floats  # (D,) of the log odds of an error, mean over the seeds

    def odds(self, images: float) -> Floats:
        """The true odds (D,) of an error at a size. Raises TooFarError."""
        most = self.sizes.images[-1]
        if images > BEYOND * most * (1 + 1e-9):
            raise TooFarError(f"{images:.0f} images are over {BEYOND:g} times {most:.0f}")
        level, slope, floor = self.curves
        odds: Floats = np.exp(level) * (images / most) ** -slope + floor
        return odds

    def accuracy(self, images: float) -> tuple[float, float, float]:
        """(median, low, high) of the accuracy that such trainings would show: 80 % interval."""
        rng = np.random.default_rng(0)
        shown = self.odds(images) * np.exp(self.scatter * rng.standard_normal(_DRAWS))
        low, middle, high = np.quantile(1 / (1 + shown), [_TAIL, 0.5, 1 - _TAIL])
        return float(middle), float(low), float(high)

    def gain(self, times: float) -> Gain:
        """What so many times the images would bring. Raises TooFarError."""
        most = self.sizes.images[-1]
        accuracies = 1 / (1 + self.odds(times * most))
        gained = accuracies - 1 / (1 + self.odds(most))
        low, middle, high = np.quantile(gained, [_TAIL, 0.5, 1 - _TAIL])
        accuracy = float(np.median(accuracies))
        return Gain(times * most, accuracy, float(middle), float(low), float(high))


_TAIL = (1 - LEVEL) / 2


def trusted_curve(sizes: Sizes) -> LearningCurve | None:
    """The curve, where it may be extended.

    None where there are fewer than `FEWEST` sizes, or where its 80 % interval at the largest size
    is not around the accuracy that was seen there: networks that have only just begun to learn from
    half of the images learn by no such curve (bench/README.md).
    """
    if len(sizes.images) < FEWEST:
        return None
    curve = fit_curve(sizes)
    _, low, high = curve.accuracy(float(sizes.images[-1]))
    seen = 1 / (1 + np.exp(_log_odds(sizes)[:, -1].mean()))
    return curve if low <= seen <= high else None


def fit_curve(sizes: Sizes) -> LearningCurve:
    """Weighs the curves of a grid; needs at least `FEWEST` sizes."""
    logs = _log_odds(sizes)
    n_seeds, n_sizes = logs.shape
    seen = logs.mean(0)
    scatter = _scatter(logs, sizes) / np.sqrt(n_seeds)
    level, slope, floor = _grid(float(np.exp(seen).min()))
    relative = sizes.images / sizes.images[-1]
    expected = np.log(np.exp(level)[:, None] * relative ** -slope[:, None] + floor[:, None])
    residual = np.square((seen - expected) / scatter).sum(1)
    freedom = _PRIOR_FREEDOM + (n_seeds - 1) * (n_sizes - 1)
    # Student's t over all sizes together: the scatter itself is an estimate.
    log_weight = -(freedom + n_sizes) / 2 * np.log1p(residual / freedom)
    log_weight -= 0.5 * np.square((np.log(slope) - np.log(0.5)) / 0.7)  # Hestness et al., 2017
    # As likely as not there is no floor that these sizes come near.
    log_weight += np.where(floor == 0, np.log(_FLOORS), 0.0)
    weight = np.exp(log_weight - log_weight.max())
    rng = np.random.default_rng(0)
    drawn = rng.choice(len(weight), _DRAWS, p=weight / weight.sum())
    curves = np.stack([level[drawn], slope[drawn], floor[drawn]])
    spread = scatter[-1] * np.sqrt(
        (freedom + residual[drawn]) / rng.chisquare(freedom + n_sizes, _DRAWS)
    )
    return LearningCurve(sizes, curves, spread)


def _log_odds(sizes: Sizes) -> Floats:
    """Of an error, (S, F); finite where no part or every part is wrong."""
    right = sizes.parts[:, None] - sizes.wrong
    odds: Floats = np.log((sizes.wrong + 0.5) / (right + 0.5))
    return odds


def _scatter(logs: Floats, sizes: Sizes) -> Floats:
    """Deviation (F,) of one training's log odds: counted parts, and how trainings differ.

    What seeds have in common at all sizes, such as an easy validation part, is no scatter.
    """
    n_seeds, n_sizes = logs.shape
    rest = logs - logs.mean(0) - logs.mean(1, keepdims=True) + logs.mean()
    free = (n_seeds - 1) * (n_sizes - 1)
    prior = _PRIOR_FREEDOM * _PRIOR_SCATTER**2
    trained = (np.square(rest).sum() + prior) / (free + _PRIOR_FREEDOM)
    # One judged part more or less: where few are wrong, logs of counts jump.
    counted = 1 / (sizes.wrong.mean(0) + 0.5)
    # Sizes share their validation parts, so only a part of the counting error is their own.
    deviation: Floats = np.sqrt(np.maximum(trained, counted / 2))
    return deviation


def _grid(least: float) -> tuple[Floats, Floats, Floats]:
    """The curves: ln a, b and c of each; `least` is the smallest odds seen."""
    level = np.log(least) + np.linspace(-3, 1.5, 64)
    slope = np.exp(np.linspace(np.log(0.05), np.log(2.0), 32))
    floor = least * np.concatenate([[0.0], np.linspace(0.05, 1.2, _FLOORS)])
    grid = np.meshgrid(level, slope, floor, indexing="ij")
    return grid[0].ravel(), grid[1].ravel(), grid[2].ravel()
