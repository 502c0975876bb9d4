"""The axes of a picture of two shares: where each place is drawn."""

import re

import numpy as np
import pytest

from gaikan.figures.plane import Plane

PLANE = Plane(10, 20, 100, 200, (0.5, 0.25))


def test_places_are_by_the_square_root() -> None:
    assert [PLANE.across(share) for share in (0, 0.125, 0.5)] == pytest.approx([10, 60, 110])
    assert [PLANE.up(share) for share in (0, 0.0625, 0.25)] == pytest.approx([220, 120, 20])


def test_a_line_is_cut_where_it_leaves_the_plane() -> None:
    across, up = np.array([1.0, 0.4, 0.1, 0.0]), np.array([0.0, 0.0625, 0.2, 1.0])
    data = PLANE.line(across, up)
    points = np.array(re.findall(r"(\d+) (\d+)", data)).astype(float)
    assert points[0, 0] == 110  # enters at the right
    assert points[-1, 1] == 20  # leaves at the top
    assert (points >= (10, 20)).all()
    assert (points <= (110, 220)).all()
    assert PLANE.line(np.array([0.9]), np.array([0.1])) == ""
