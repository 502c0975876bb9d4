"""Models that take turns in processes of their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from small_networks import IMAGES, exporter, trained

from gaikan.timing.measure import Rule, SamplingPlan, Turn, disturbed_share
from gaikan.timing.runtime_process import Case, SessionParts
from gaikan.timing.runtimes import RUNTIMES
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
    assert reason.startswith("a batch of 3 takes about 0.0 s; --thorough")


SETTING = RUNTIMES["onnxruntime-fp32"].setting(1)


def turn(seconds: float, disturbed: bool | None) -> Turn:
    return Turn(np.full(4, seconds), None, 4 * seconds, disturbed)


class Scripted(Session):
    """A session whose processes answer what a test says; the turns that were asked for."""

    def __init__(self, answers: list[bool | None], turns: list[Turn]) -> None:
        super().__init__({}, SessionParts("", ()), lambda *_: None)
        self.answers = iter(answers)
        self.asked: list[Rule] = []
        self.measured.turns[SETTING, CASE] = turns

    def ask(self, setting: object, model: object, method: object, *arguments: object) -> Any:
        rule = arguments[1]
        assert isinstance(rule, Rule)
        self.asked.append(rule)
        return turn(0.1, next(self.answers))


CASE = Case("mlp", 1)


def test_a_disturbed_turn_is_taken_again_with_as_many_queries() -> None:
    quiet, noisy = turn(0.1, False), turn(0.3, True)
    session_ = Scripted([False], [*[quiet] * 8, noisy])
    session_.take_again()
    assert session_.asked == [Rule(0.0, 4)]
    taken = session_.measured.turns[SETTING, CASE]
    assert [each.disturbed for each in taken] == [False] * 9
    assert taken[-1].seconds[0] == 0.1


def test_one_that_is_disturbed_again_stays_marked() -> None:
    session_ = Scripted([True], [*[turn(0.1, False)] * 8, turn(0.3, True)])
    session_.take_again()
    assert session_.measured.turns[SETTING, CASE][-1].seconds[0] == 0.3
    assert disturbed_share(session_.measured.turns[SETTING, CASE]) == 1 / 9


def test_turns_are_taken_again_within_a_budget_and_not_on_a_machine_that_stays_busy() -> None:
    rich = Scripted([False] * 41, [turn(0.1, True)] * 41)
    rich.take_again()
    assert len(rich.asked) == 12  # 0.3 of the 41
    busy = Scripted([True] * 40, [turn(0.1, True)] * 40)
    busy.take_again()
    assert len(busy.asked) == 8


def test_turns_that_nothing_is_known_of_are_left_as_they_are() -> None:
    blind = Scripted([], [turn(0.1, None)] * 3)
    blind.take_again()
    assert disturbed_share(blind.measured.turns[SETTING, CASE]) is None
