"""Which variants nothing beats."""

import numpy as np

from gaikan.figures.latency_figures import pareto_front


def test_the_pareto_front_is_what_nothing_beats() -> None:
    rng = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in rng.integers(0, 12, (60, 2))]
    front = {points[i] for i in pareto_front(points)}
    naive = {
        p for p in points if not any((q[0] <= p[0] and q[1] >= p[1] and q != p) for q in points)
    }
    assert front == naive
