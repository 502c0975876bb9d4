"""What errors cost at the factory's own defect rate."""

import numpy as np
import pytest
from judged_parts import judged

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.costs import cost_per_1000, extreme_costs, part_costs
from gaikan.evaluation.rates import rates


def test_cost_is_at_the_factorys_defect_rate() -> None:
    factory = FactoryConfig(defect_rate=0.01, escape_cost=200, overkill_cost=2)
    # of 1,000 parts 10 are defective, of which 1 escapes; of 990 good ones 99 are thrown away
    assert cost_per_1000(0.1, 0.1, factory) == pytest.approx(1 * 200 + 99 * 2)
    assert cost_per_1000(0.1, 0.1, FactoryConfig()) is None


def test_the_mean_cost_of_the_parts_is_that_of_1000_parts_at_the_mean_rates() -> None:
    factory = FactoryConfig(defect_rate=0.01, escape_cost=200, overkill_cost=2)
    parts = judged().at(np.arange(200) < 150)  # 100 good, 50 defective
    costs = part_costs(parts.actual, parts.predicted, "ok", extreme_costs(factory))
    assert costs.shape == parts.predicted.shape
    table = rates(parts, "ok", factory)
    assert costs.mean((1, 2)) == pytest.approx(table["cost"].to_numpy())
    assert (costs[parts.predicted == parts.actual] == 0).all()
