"""Models that take turns in processes of their own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_networks import IMAGES, exporter, trained
from small_run import Fake, row

from gaikan.language.words import Words, plain
from gaikan.timing.measure import Rule, SamplingPlan, Turn, disturbed_share
from gaikan.timing.measured import WHOLE
from gaikan.timing.runtime_process import Case, Server, SessionParts
from gaikan.timing.runtimes import RUNTIMES, Setting
from gaikan.timing.session import Session, session

TINY = SamplingPlan(Rule(0.002, 4), Rule(0.002, 2), (1, 3), rounds=3, warm_up=0.01)


def test_a_batch_that_would_take_too_long_is_left_out(tmp_path: Path) -> None:
    folder = exporter().write(trained("mlp", 1), IMAGES, tmp_path / "model", {})[0]
    np.save(tmp_path / "sample.npy", IMAGES)
    parts = SessionParts(str(tmp_path / "sample.npy"), ("ok", "a", "b", "c"))
    setting = RUNTIMES["onnxruntime-fp32"].setting(1)
    cases = [(setting, Case("mlp", size)) for size in (1, 3)]
    with session([setting], parts, lambda *_: None) as open_session:
        open_session.load({"mlp": folder})
        open_session.measure(cases, replace(TINY, longest=1e-9), np.random.default_rng(0))
    measured = open_session.measured
    assert [case.batch_size for _, case in measured.turns] == [1]  # however long it takes
    ((left_out, reason),) = measured.left_out.items()
    assert left_out == (setting, Case("mlp", 3))
    assert reason.en.startswith("a batch of 3 takes about 0.0 s; --thorough")


SETTING = RUNTIMES["onnxruntime-fp32"].setting(1)
OTHER = RUNTIMES["onnxruntime-int8"].setting(1)
CASE = Case("mlp", 1)
ROW = row(Fake("mlp-triplet-mean_embedding", 0, {"onnxruntime-fp32": 9.0}), "onnxruntime-fp32", 1)
Cases = dict[tuple[Setting, Case], list[Turn]]


def turn(seconds: float, disturbed: bool | None = False) -> Turn:
    return Turn(np.full(4, seconds), None, 4 * seconds, disturbed)


class Scripted(Session):
    """A session whose processes answer what a test says; the turns that were asked for.

    `blocks` says of each block of turns whether other work was seen in the whole of it.
    """

    def __init__(
        self,
        answers: Sequence[bool | Words | None],
        turns: Cases,
        blocks: list[bool | None] | None = None,
    ) -> None:
        super().__init__({}, SessionParts("", ()), lambda *_: None)
        self.answers, self.blocks = iter(answers), iter(blocks or [False] * 99)
        self.asked: list[tuple[Case, Rule]] = []
        self.measured.turns |= turns

    def ask(self, setting: object, model: object, method: object, *arguments: object) -> Any:
        if method is Server.disturbed:
            return next(self.blocks)
        if method is not Server.turn:
            return 0.1
        case, rule = arguments
        assert isinstance(case, Case)
        assert isinstance(rule, Rule)
        assert isinstance(setting, Setting)
        self.asked.append((case, rule))
        answer = next(self.answers)
        if isinstance(answer, Words):  # why the process has ended
            self.measured.refused[setting, WHOLE] = answer
            return None
        return turn(0.1, answer)


def test_a_disturbed_turn_is_taken_again_with_as_many_queries() -> None:
    session_ = Scripted([False], {(SETTING, CASE): [*[turn(0.1)] * 8, turn(0.3, True)]})
    session_.take_again()
    assert session_.asked == [(CASE, Rule(0.0, 4))]
    taken = session_.measured.turns[SETTING, CASE]
    assert [each.disturbed for each in taken] == [False] * 9
    assert taken[-1].seconds[0] == 0.1


def test_one_that_is_disturbed_again_stays_marked() -> None:
    session_ = Scripted([True], {(SETTING, CASE): [*[turn(0.1)] * 8, turn(0.3, True)]})
    session_.take_again()
    assert session_.measured.turns[SETTING, CASE][-1].seconds[0] == 0.3
    assert disturbed_share(session_.measured.turns[SETTING, CASE]) == 1 / 9


def test_disturbed_turns_of_a_process_and_round_are_taken_again_together() -> None:
    larger = Case("mlp", 8)
    turns = [turn(0.1, True), *[turn(0.1)] * 8]
    session_ = Scripted([False] * 2, {(SETTING, CASE): turns, (SETTING, larger): [*turns]})
    session_.take_again()
    assert [case for case, _ in session_.asked] == [CASE, larger]
    assert next(session_.blocks) is False
    assert len([*session_.blocks]) == 97  # one block was asked about, and the line above took one


def test_turns_are_taken_again_within_a_budget_and_not_on_a_machine_that_stays_busy() -> None:
    noisy: Cases = {(SETTING, CASE): [turn(0.1, True)] * 41}
    rich = Scripted([False] * 41, noisy)
    rich.take_again()
    assert len(rich.asked) == 12  # 0.3 of the 41
    busy = Scripted([True] * 40, {(SETTING, CASE): [turn(0.1, True)] * 40})
    busy.take_again()
    assert len(busy.asked) == 3


def test_further_rounds_are_taken_again_too_and_those_before_are_left() -> None:
    turns = [turn(0.3, True), *[turn(0.1)] * 8, turn(0.3, True)]
    session_ = Scripted([False], {(SETTING, CASE): turns})
    session_.take_again(9)
    taken = session_.measured.turns[SETTING, CASE]
    assert [each.disturbed for each in taken] == [True, *[False] * 9]


def test_turns_that_nothing_is_known_of_are_left_as_they_are() -> None:
    blind = Scripted([], {(SETTING, CASE): [turn(0.1, None)] * 3})
    blind.take_again()
    assert disturbed_share(blind.measured.turns[SETTING, CASE]) is None


@pytest.mark.parametrize(
    ("single", "block", "marked"),
    [(False, True, True), (True, False, True), (False, False, False), (None, None, None)],
)
def test_other_work_that_is_seen_over_all_turns_marks_each(
    single: bool | None, block: bool | None, marked: bool | None
) -> None:
    session_ = Scripted([single] * 4, {}, [block] * 2)
    plan = replace(TINY, rounds=2)
    cases = [(SETTING, Case("mlp", size)) for size in (1, 3)]
    session_.measure(cases, plan, np.random.default_rng(0))
    assert [t.disturbed for turns in session_.measured.turns.values() for t in turns] == [
        marked
    ] * 4


def wide(low: float, high: float) -> list[Turn]:
    return [turn(value) for value in np.linspace(low, high, 6)]


def test_only_what_may_be_the_fastest_and_is_not_known_well_has_further_rounds() -> None:
    first, second = Case("mlp", 1), Case("cnn", 1)
    turns: Cases = {
        (SETTING, first): wide(1.0, 1.5),
        (OTHER, first): wide(1.4, 3.0),  # may be faster than 1.5
        (SETTING, second): wide(1.0, 1.05),  # known well
        (OTHER, second): wide(1.1, 3.0),  # slower for sure
        (SETTING, Case("mlp", 8)): wide(1.0, 3.0),  # nobody waits for a batch
    }
    session_ = Scripted([], turns)
    assert session_.measured.undecided() == [(SETTING, first), (OTHER, first)]


def test_further_rounds_end_where_intervals_are_narrow_or_at_their_most() -> None:
    plan = replace(TINY, rounds=6, more_rounds=3)
    session_ = Scripted([False] * 30, {(SETTING, CASE): wide(1.0, 2.0)})
    session_.measure([], plan, np.random.default_rng(0))
    assert len(session_.asked) == 3
    assert len(session_.measured.turns[SETTING, CASE]) == 9
    narrow = Scripted([False] * 30, {(SETTING, CASE): wide(1.0, 1.05)})
    narrow.measure([], plan, np.random.default_rng(0))
    assert narrow.asked == []


def test_further_rounds_that_were_disturbed_are_taken_again() -> None:
    plan = replace(TINY, rounds=6, more_rounds=1)
    session_ = Scripted([True, False], {(SETTING, CASE): wide(1.0, 2.0)})
    session_.measure([], plan, np.random.default_rng(0))
    taken = session_.measured.turns[SETTING, CASE]
    assert [each.disturbed for each in taken] == [False] * 7


def test_a_process_that_ends_in_a_further_round_leaves_no_turns() -> None:
    plan = replace(TINY, rounds=6, more_rounds=2)
    session_ = Scripted([False, plain("killed")], {(SETTING, CASE): wide(1.0, 2.0)})
    session_.measure([], plan, np.random.default_rng(0))
    assert len(session_.asked) == 2
    assert session_.measured.turns == {}


def test_speeds_are_compared_in_the_rounds_that_every_case_has() -> None:
    """A further round of one and another's further round are not the same."""
    reference = RUNTIMES["torch-fp32"].setting(1)
    session_ = Scripted([], {(SETTING, CASE): wide(1.0, 2.0), (reference, CASE): wide(2.0, 4.0)})
    measured = session_.measured
    measured.rounds = 6
    for setting in (SETTING, reference):
        measured.turns[setting, CASE] += [turn(1.0)] * 3
    (found,) = measured.rows(ROW, SETTING, "mlp", "mlp", reference)
    assert found.speedup == pytest.approx(2)
    assert found.speedup_low == pytest.approx(2)
