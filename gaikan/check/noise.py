"""How far apart two runs are, and how far training and parts alone would take them.

All arrays of values are (V, S, N): variants, seeds, parts; see `measures`. Errors hold for new
seeds and new parts both (`statistics.estimate`). Lots are no unit here: both runs judged the very
same parts, and what a lot does to both cancels.
"""

from dataclasses import replace

import numpy as np

from gaikan.evaluation.mean_squares import Floats, MeanSquares, Units
from gaikan.evaluation.statistics import Estimate, estimate, moderate

FEWEST_SEEDS = 3  # of a side: the scatter of two is so ill known that 6 to 9 % were false alarms


def same_seeds(now: Floats, before: Floats) -> Estimate:
    """Differences (V,) of two runs of the same seeds on the same parts.

    Seed s started on both sides from the same split, weights and batches, so its luck mostly
    cancels. What a change of the code leaves of it differs from seed to seed: that is the error.
    """
    squares = MeanSquares.of(Units.of(now - before, None))
    return _moderated(squares, squares.shape[0] - 1)


def other_seeds(now: Floats, before: Floats) -> Estimate:
    """Differences (V,) of two runs of different seeds, (V, S, N) and (V, R, N), on the same parts.

    Parts are paired: how hard they are cancels. Seeds are not: each side's scatter over seeds
    counts, pooled (an unchanged recipe scatters alike), with S + R - 2 degrees of freedom.
    """
    sides = [MeanSquares.of(Units.of(values, None)) for values in (now, before)]
    s, r = now.shape[1], before.shape[1]

    def of_difference(now_squares: Floats, before_squares: Floats) -> Floats:
        """Mean squares of S + R seeds as those of a mean that varies as the difference does."""
        pooled = ((s - 1) * now_squares + (r - 1) * before_squares) / (s + r - 2)
        scaled: Floats = pooled * (s + r) * (1 / s + 1 / r)
        return scaled

    difference = now.mean(1, keepdims=True) - before.mean(1, keepdims=True)
    by_part = MeanSquares.of(Units.of(difference, None))
    squares = MeanSquares(
        by_part.mean,
        of_difference(sides[0].of_seeds, sides[1].of_seeds),
        (s + r) * by_part.of_units,
        of_difference(sides[0].of_rest, sides[1].of_rest),
        (s + r, now.shape[2]),
    )
    return _moderated(squares, s + r - 2)


def _moderated(squares: MeanSquares, freedom: int) -> Estimate:
    """The estimate, with each variant's scatter over seeds drawn towards that of all.

    A variant of which no decision changed has no error, and takes none from the others.
    """
    moderated, freedom_of_seeds = moderate(squares.of_seeds, freedom)
    of_seeds = np.where(squares.of_units + squares.of_seeds > 0, moderated, 0)
    return estimate(replace(squares, of_seeds=of_seeds), (freedom_of_seeds, squares.shape[1] - 1.0))


def unpaired(now: Estimate, before: Estimate) -> Estimate:
    """Differences of means on other parts; Welch's error and degrees of freedom (1947)."""
    squares = np.square(now.error), np.square(before.error)
    total = squares[0] + squares[1]
    weight = np.square(squares[0]) / now.freedom + np.square(squares[1]) / before.freedom
    freedom = np.square(total) / np.where(weight > 0, weight, 1)
    least = np.minimum(now.freedom, before.freedom)
    return Estimate(now.mean - before.mean, np.sqrt(total), np.maximum(freedom, least))
