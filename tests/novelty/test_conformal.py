"""p-values are shares of held-out parts, lot by lot, and uniform where new parts are no news."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gaikan.novelty.conformal import (
    FINEST,
    calibration,
    highest_level,
    own_p_values,
    p_values,
    p_values_across_lots,
)

Lots = NDArray[np.int64]


def naive(score: float, scores: NDArray[np.float32], lots: Lots) -> float:
    """By the definition: the mean over lots of the share that scores at least as high."""
    if len(scores) == 0:
        return 1.0
    share = np.mean([(scores[lots == lot] >= score).mean() for lot in np.unique(lots)])
    most = min(len(scores), FINEST)
    return float((1 + most * share) / (1 + most))


def drawn(n: int, lots: int, seed: int = 0) -> tuple[NDArray[np.float32], Lots]:
    """Scores with ties, and lots of unequal size."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, n, n).astype(np.float32), rng.integers(0, lots, n) ** 2


def test_without_lots_it_is_one_more_than_the_count() -> None:
    held, new = drawn(500, 2)[0], np.array([-1, 0, 17, 499, 600], np.float32)
    expected = [(1 + (held >= score).sum()) / 501 for score in new]
    np.testing.assert_allclose(p_values(new, calibration(held)), expected, rtol=1e-6)


@pytest.mark.parametrize("n", [200, 4000])
def test_lots_weigh_alike_however_many_parts_they_have(n: int) -> None:
    held, lots = drawn(n, 6)
    new = np.linspace(-1, n, 50).astype(np.float32)
    calibrated = calibration(held, lots)
    assert len(calibrated) == min(n, FINEST)
    found = p_values(new, calibrated)
    expected = [naive(score, held, lots) for score in new]
    np.testing.assert_allclose(found, expected, atol=1.01 / len(calibrated))  # it is rounded


@pytest.mark.parametrize("lots", [2, 5, 60])
def test_a_held_out_part_is_judged_by_the_other_lots(lots: int) -> None:
    held, lot = drawn(150, lots)
    expected = [naive(held[i], held[lot != lot[i]], lot[lot != lot[i]]) for i in range(150)]
    np.testing.assert_allclose(own_p_values(held, lot), expected, rtol=1e-5)
    np.testing.assert_array_equal(own_p_values(held, lot), own_p_values(held, lot.astype(str)))


def test_without_lots_a_held_out_part_is_judged_by_all_others() -> None:
    held = drawn(300, 2)[0]
    expected = [(1 + (np.delete(held, i) >= held[i]).sum()) / 300 for i in range(300)]
    np.testing.assert_allclose(own_p_values(held), expected, rtol=1e-5)


def test_one_lot_or_no_part_says_nothing_of_its_own() -> None:
    held = drawn(30, 2)[0]
    np.testing.assert_array_equal(own_p_values(held, np.zeros(30)), np.ones(30))
    np.testing.assert_array_equal(own_p_values(held[:1]), [1])
    nothing = calibration(held[:0])
    assert nothing.shape == own_p_values(held[:0]).shape == (0,)
    np.testing.assert_array_equal(p_values(held, nothing), np.ones(30))


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_p_values_of_new_lots_are_uniform(spread: float) -> None:
    """1,000 repeats of 20 held-out lots and one new one, whose means deviate by `spread`."""
    rng, levels = np.random.default_rng(0), np.array([0.05, 0.1, 0.25, 0.5, 0.9])
    found, own = [], []
    for _ in range(1000):
        sizes = rng.integers(5, 30, 21)
        lot = np.repeat(np.arange(21), sizes)
        scores = (rng.normal(0, spread, 21)[lot] + rng.normal(size=len(lot))).astype(np.float32)
        held = lot > 0
        p = p_values(scores[~held], calibration(scores[held], lot[held]))
        found.append((p[:, None] <= levels).mean(0))
        own.append((own_p_values(scores[held], lot[held])[:, None] <= levels).mean(0))
    error = 3 * np.std(found, axis=0) / np.sqrt(len(found))
    # The strangest of 21 lots is stranger than the others tell.
    assert (np.abs(np.mean(found, axis=0) - levels) < error + 0.005).all()
    assert (np.abs(np.mean(own, axis=0) - levels) < error + 0.005).all()


@pytest.mark.parametrize("n", [1, 19, 20, 21, 500])
def test_the_level_asks_at_most_the_share_and_no_higher_one_does(n: int) -> None:
    drawn = 1 + np.random.default_rng(0).integers(0, n, n)
    p = (drawn / (n + 1)).astype(np.float32)
    level = highest_level(p, 0.05)
    assert (p <= level).mean() <= 0.05
    higher = p[p > level]
    assert (p <= higher.min()).mean() > 0.05


def test_where_any_level_asks_too_many_nobody_is_asked() -> None:
    assert highest_level(np.ones(50, np.float32), 0.05) == 0
    assert highest_level(np.ones(0, np.float32), 0.05) == 0


@pytest.mark.parametrize("lots", [2, 5, 60])
def test_parts_that_were_not_held_out_are_judged_by_the_other_lots_too(lots: int) -> None:
    held, lot = drawn(150, lots)
    new, new_lot = drawn(40, lots, seed=1)
    found = p_values_across_lots(new, new_lot, held, lot)
    others = [lot != own for own in new_lot]
    expected = [naive(s, held[far], lot[far]) for s, far in zip(new, others, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1.01 / 90)  # it is rounded
    np.testing.assert_allclose(
        p_values_across_lots(held, lot, held, lot), own_p_values(held, lot), atol=1.01 / 90
    )


def test_with_a_single_lot_no_other_part_of_it_can_look_new() -> None:
    held, one = drawn(30, 2)[0], np.zeros(30)
    np.testing.assert_array_equal(p_values_across_lots(held + 99, one, held, one), np.ones(30))
