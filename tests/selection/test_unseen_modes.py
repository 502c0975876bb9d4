"""How the setting of an installed network carries over to one that was trained without a mode."""

from dataclasses import replace

import numpy as np
import pytest

from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions
from gaikan.run_folder.unseen_file import LeftOutMode, ScoredParts
from gaikan.selection.handed_over import asking_level
from gaikan.selection.unseen_modes import (
    BorderAndLevel,
    JudgedModes,
    unseen_modes,
    worst_share,
)
from gaikan.variants import Variant

OK, PARTS = 0, 240
MODES = ("bent", "crack")


def scored(part: DecidedParts, rows: np.ndarray, scale: float = 1.0) -> ScoredParts:
    """As the network itself sees them, on a scale of their own."""
    assert part.ok_margin is not None
    margin = scale * part.ok_margin[rows]
    return ScoredParts(part.sample[rows], margin > 0, margin, part.novelty_p[rows] ** scale)


def network(seed: int = 0, scale: float = 1.0) -> NetworkDecisions:
    """A third of the parts is good; without a mode the others are judged as the network does."""
    rng = np.random.default_rng(seed)
    label = np.arange(PARTS) % 3
    margin = rng.normal(np.where(label == OK, 1.5, -0.5))
    one = np.ones(PARTS, np.int64)
    p = rng.permutation(1 + np.arange(PARTS)) / (1 + PARTS)
    sample, lot = 10 + 3 * np.arange(PARTS), np.arange(PARTS) // 20
    called = np.where(margin > 0, OK, one)
    part = DecidedParts(sample, label, called, one, margin, label - 1, lot, p)
    good = scored(part, np.flatnonzero(label == OK), scale)
    left_out = []
    for mode, name in enumerate(MODES, start=1):
        own = scored(part, np.flatnonzero(label == mode), scale)
        left_out.append(LeftOutMode(name, good, own, own))
    return NetworkDecisions(Variant("mlp", "a", "mean_image"), 0, part, part, tuple(left_out))


def setting(known: NetworkDecisions, rejected: int, ask: float | None) -> BorderAndLevel:
    """The border at the margin of a good part, so that exactly so many are rejected."""
    part = known.validation
    assert part.ok_margin is not None
    good = np.sort(part.ok_margin[part.label == OK])
    threshold = float(good[rejected - 1]) if rejected else None
    return BorderAndLevel(threshold, asking_level(part, OK, ask))


def worst(known: NetworkDecisions, given: BorderAndLevel) -> float | None:
    """On test, of all modes that its validation has."""
    return worst_share(known, OK, given, "test", JudgedModes.of([known], choosing=False))


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("ask", [None, 0.1, 0.5])
@pytest.mark.parametrize("rejected", [0, 12, 40])
def test_a_network_that_ranks_parts_alike_is_set_alike_whatever_its_scale(
    rejected: int, ask: float | None, scale: float
) -> None:
    known = network(scale=scale)
    given, part = setting(known, rejected, ask), known.validation
    assert part.ok_margin is not None
    good = part.predicted == OK
    if given.threshold is not None:
        assert given.threshold > 0
        good = part.ok_margin > given.threshold
    new = part.novelty_p <= (given.ask_level or 0)
    found = unseen_modes(known, OK, given, "validation")
    assert {mode.mode for mode in found} == {*MODES}
    for mode in found:
        own = part.label == 1 + MODES.index(mode.mode)
        assert mode.parts == own.sum()
        assert mode.escapes == (own & good & ~new).sum()
        assert mode.asks == (own & good & new).sum()
        assert mode.escape_rate == mode.escapes / mode.parts
        assert mode.escape_rate < mode.escape_bound <= 1
    rates = [mode.escape_rate for mode in found]
    assert rates[0] == max(rates) == worst(known, given)


def test_a_border_between_good_parts_carries_over_as_the_laxest_that_rejects_as_many() -> None:
    known = network()
    given = setting(known, 12, None)
    assert given.threshold is not None
    part = known.validation
    assert part.ok_margin is not None
    good = np.sort(part.ok_margin[part.label == OK])
    between = BorderAndLevel(float(good[11] + good[12]) / 2, None)
    assert unseen_modes(known, OK, between, "test") == unseen_modes(known, OK, given, "test")


def test_a_stricter_border_and_a_higher_level_let_fewer_escape() -> None:
    known = network()
    by_border = [worst(known, setting(known, n, None)) for n in (0, 12, 20, 60, 80)]
    by_level = [worst(known, setting(known, 0, ask)) for ask in (0.01, 0.1, 0.5, 1)]
    for shares in (by_border, by_level):
        assert None not in shares
        assert shares == sorted(shares, key=lambda share: -(share or 0))
        assert shares[0] != shares[-1] == 0


def test_where_no_good_part_is_rejected_the_natural_border_stays() -> None:
    """A network that rejects some at its natural border keeps it: it is not asked to be laxer."""
    known = network()
    part = known.validation
    assert part.ok_margin is not None
    surer = np.where(part.label == OK, 5 + part.ok_margin, part.ok_margin)
    installed = replace(known, validation=replace(part, ok_margin=surer))
    natural = worst(installed, BorderAndLevel(None, None))
    assert worst(installed, BorderAndLevel(1.0, None)) == natural
    # Below the natural border, for a stage that trades escapes: just below the lowest good part.
    lax = worst(installed, BorderAndLevel(-1.0, None))
    assert lax is not None
    assert natural is not None
    assert natural < lax < 1


@pytest.mark.parametrize("threshold", [-3.0, -1.0, 0.0, 1.0])
def test_where_no_good_part_is_rejected_the_border_is_no_stricter_than_the_natural_one(
    threshold: float,
) -> None:
    """Though the network without the mode may be sure of every good part."""
    known = network()
    part = known.validation
    assert part.ok_margin is not None
    lift = 4.1 - part.ok_margin[part.label == OK].min()
    part = replace(part, ok_margin=np.where(part.label == OK, lift, 0) + part.ok_margin)
    good = scored(part, np.flatnonzero(part.label == OK))
    left_out = tuple(replace(mode, good=good) for mode in known.left_out)
    surer = replace(known, validation=part, left_out=left_out)
    natural = worst(surer, BorderAndLevel(None, None))
    assert worst(surer, BorderAndLevel(threshold, None)) == natural
    assert natural


def test_only_parts_of_the_lots_at_hand_count() -> None:
    known = network()
    given = setting(known, 5, 0.1)
    assert known.validation.group is not None
    rows = np.flatnonzero(np.isin(known.validation.group, [2, 3, 7]))
    some = replace(known, validation=known.validation.at(rows))
    for mode in unseen_modes(some, OK, given, "validation"):
        label = some.validation.label
        assert mode.parts == (label == 1 + MODES.index(mode.mode)).sum() == 20
    assert all(mode.parts == 80 for mode in unseen_modes(some, OK, given, "test"))


def test_nothing_is_told_where_no_mode_was_left_out() -> None:
    known = replace(network(), left_out=())
    assert worst(known, BorderAndLevel(None, 0.1)) is None
    assert unseen_modes(known, OK, BorderAndLevel(None, 0.1), "test") == []


def without_parts(known: NetworkDecisions, mode: int) -> NetworkDecisions:
    """In lots in which the mode does not occur."""
    part = known.validation
    return replace(known, validation=part.at(np.flatnonzero(part.label != mode)))


def test_a_network_is_judged_on_the_modes_of_all_seeds_or_not_at_all() -> None:
    """Else the seed whose split lacks the hardest mode would look best."""
    known, natural = network(), BorderAndLevel(None, None)
    lacking = replace(known, seed=1, left_out=known.left_out[:1])
    modes = JudgedModes.of([known, lacking], choosing=False)
    both = [worst_share(each, OK, natural, "validation", modes) for each in (known, lacking)]
    assert both == [max(own_shares(known, natural)), None]
    alone = JudgedModes.of([lacking], choosing=False)  # a mode that no seed has is none
    assert worst_share(lacking, OK, natural, "validation", alone) == own_shares(lacking, natural)[0]


def test_where_lots_are_divided_those_that_choose_compare_what_all_have_the_others_everything() -> (
    None
):
    known, natural = network(), BorderAndLevel(None, None)
    few, failed = without_parts(known, 2), replace(known, left_out=())
    networks = [known, few, failed]
    rest = JudgedModes.of(networks, choosing=False)
    shares = [worst_share(each, OK, natural, "validation", rest) for each in networks]
    assert shares == [max(own_shares(known, natural)), None, None]
    some = JudgedModes.of(networks, choosing=True)
    shares = [worst_share(each, OK, natural, "validation", some) for each in networks]
    of_both = own_shares(few, natural)[0]
    assert shares == [of_both, of_both, None]
    nothing = JudgedModes.of([few, without_parts(known, 1)], choosing=True)
    assert worst_share(few, OK, natural, "validation", nothing) is None


def own_shares(known: NetworkDecisions, given: BorderAndLevel) -> list[float]:
    """What escapes on validation, in the order of `MODES`."""
    found = {mode.mode: mode.escape_rate for mode in unseen_modes(known, OK, given, "validation")}
    return [found[mode] for mode in MODES if mode in found]
