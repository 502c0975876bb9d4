"""The share of what a processor can do."""

import pytest

from gaikan.timing.roofline import Roofline


def test_the_share_of_the_roofline_is_the_slower_of_both_bounds() -> None:
    roof = Roofline(gemm=100.0, library="x", bandwidth={10: 50.0, 1000: 5.0})
    assert roof.share(operations=200, traffic=1, seconds=4) == pytest.approx(0.5)
    assert roof.share(operations=1, traffic=10, seconds=4) == pytest.approx(10 / 50 / 4)
    assert roof.share(operations=1, traffic=11, seconds=4) == pytest.approx(11 / 5 / 4)
    assert roof.share(operations=1, traffic=10**6, seconds=10**6) == pytest.approx(0.2)
