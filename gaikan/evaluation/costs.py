"""What escapes and overkills cost where the parts are made."""

import numpy as np
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.counts import Called, escaped, overkilled
from gaikan.evaluation.mean_squares import Floats


def cost_per_1000(escape_rate: float, overkill_rate: float, factory: FactoryConfig) -> float | None:
    """Expected cost of 1,000 parts at the factory's defect rate; None: not configured."""
    if factory.defect_rate is None:
        return None
    assert factory.escape_cost is not None  # `FactoryConfig` wants all three or none
    assert factory.overkill_cost is not None
    escapes = 1000 * factory.defect_rate * escape_rate
    overkills = 1000 * (1 - factory.defect_rate) * overkill_rate
    return escapes * factory.escape_cost + overkills * factory.overkill_cost


def part_costs(
    actual: Called, predicted: Called, ok: str | int | None, extremes: tuple[float, float]
) -> Floats:
    """What each decision (..., N) on the parts `actual` (N,) costs; the mean is of 1,000 parts.

    `extremes` are those of `extreme_costs`: parts count as they come in the factory, however many
    of each kind there are here.
    """
    good: NDArray[np.bool_] = actual == ok
    goods, n = int(good.sum()), len(good)
    escape, overkill = extremes
    each = np.where(good, overkill * n / max(1, goods), escape * n / max(1, n - goods))
    wrong = escaped(actual, predicted, ok) | overkilled(actual, predicted, ok)
    costs: Floats = np.where(wrong, each, 0.0)
    return costs


def extreme_costs(factory: FactoryConfig) -> tuple[float, float]:
    """Of 1,000 parts if all defective ones escaped, and if all good ones were rejected."""
    return cost_per_1000(1, 0, factory) or 0.0, cost_per_1000(0, 1, factory) or 0.0
