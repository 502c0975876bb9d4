"""The parts that a page shows."""

import numpy as np

from gaikan.report.parts import shown_parts


def test_a_page_shows_all_parts_or_a_sample_that_keeps_rare_classes() -> None:
    labels = np.repeat(["common", "rare", "seldom"], [5000, 12, 300])
    wanted = np.array([3, 4999])
    chosen = shown_parts(labels, wanted, most=600)
    np.testing.assert_array_equal(chosen, shown_parts(labels, wanted, most=600))
    assert 600 <= len(chosen) <= 602
    assert len(set(chosen.tolist())) == len(chosen)
    assert set(wanted) <= set(chosen.tolist())
    counts = {name: int((labels[chosen] == name).sum()) for name in set(labels.tolist())}
    assert counts["rare"] == 12
    assert counts["seldom"] >= 100
    np.testing.assert_array_equal(shown_parts(labels[:600], wanted, most=600), np.arange(600))
