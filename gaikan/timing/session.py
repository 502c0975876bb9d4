"""A timing session: a process for each runtime and number of threads, working in turns.

Torch is needed only by the runtimes that are torch.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from typing import TypeVar, TypeVarTuple

import numpy as np

from gaikan.language.words import say
from gaikan.timing.footprint import TooLarge
from gaikan.timing.measure import Rule, SamplingPlan, Turn
from gaikan.timing.measured import WHOLE, Measured, ServedModel
from gaikan.timing.runtime_process import Case, Probe, Server, SessionParts
from gaikan.timing.runtime_worker import RefusedError, Worker
from gaikan.timing.runtimes import ModelFolder, Setting

Report = Callable[[str, int, int], None]  # what is done, how many of how many

_Given = TypeVarTuple("_Given")
_Reply = TypeVar("_Reply")

_AGAIN = 0.3  # of the time that all turns took may be spent on taking disturbed ones again
_HOPELESS = 3  # rounds of a process, all disturbed again: the machine is busy throughout


class Session:
    """The processes of all settings; at any time at most one of them works."""

    def __init__(self, workers: dict[Setting, Worker], parts: SessionParts, report: Report) -> None:
        self.workers, self.parts, self.report = workers, parts, report
        self.measured = Measured()
        for setting in workers:
            self.use(setting, parts)

    def use(self, setting: Setting, parts: SessionParts) -> None:
        """From now on the process of `setting` predicts these images."""
        self.ask(setting, WHOLE, Server.use, parts)

    def ask(
        self,
        setting: Setting,
        model: str,
        method: Callable[[Server, *_Given], _Reply],
        *arguments: *_Given,
    ) -> _Reply | None:
        """The reply of a method of `Server`; None where it refused, now or before.

        A refusal is noted under `model`.
        """
        if self.measured.reason(setting, model) is not None:
            return None
        try:
            return self.workers[setting].ask(method, *arguments)
        except RefusedError as error:
            dead = not self.workers[setting].alive
            self.measured.refused[setting, WHOLE if dead else model] = error.words
            return None

    def probe(self, models: dict[str, ModelFolder], threads: int, plan: SamplingPlan) -> None:
        """Start and peak memory of each model in a process that has done nothing else.

        To come first: of the session's own processes, which have done nothing yet, each takes
        the first model; every other model has a process for itself.
        """
        runtimes = {setting.runtime: setting.runtime.setting(threads) for setting in self.workers}
        for done, (runtime, setting) in enumerate(runtimes.items()):
            self.report(f"start and memory in {runtime.label}", done, len(runtimes))
            folders = {
                model: str(folder.folder)
                for model, folder in models.items()
                if runtime.file not in folder.missing
            }
            first = next(iter(models))
            if first in folders:
                asked = (first, folders.pop(first), plan.batches, plan.longest)
                probe = self.ask(setting, first, Server.probe, *asked)
                if probe is not None:
                    self.measured.probes[runtime, first] = probe
                # `load` brings it again, with the others.
                self.ask(setting, first, Server.drop, first)
            for model, alone in self._probe_alone(setting, folders, plan).items():
                self.measured.probes[runtime, model] = alone

    def _probe_alone(
        self, setting: Setting, folders: dict[str, str], plan: SamplingPlan
    ) -> dict[str, Probe]:
        """The probe of each model in a process of its own; none of a model that refuses.

        The processes start together.
        """
        probes: dict[str, Probe] = {}
        with ExitStack() as stack:
            workers = {
                model: stack.enter_context(closing(Worker(setting.runtime, setting.threads)))
                for model in folders
            }
            # What refuses here does so again, and is told, when it is loaded.
            for worker in workers.values():
                with suppress(RefusedError):
                    worker.ask(Server.use, self.parts)
            for model, worker in workers.items():
                with suppress(RefusedError):
                    asked = (model, folders[model], plan.batches, plan.longest)
                    probes[model] = worker.ask(Server.probe, *asked)
                worker.close()  # its memory is the next one's
        return probes

    def load(self, models: dict[str, ModelFolder]) -> None:
        """Loads every model in every process, one after the other."""
        steps = [(setting, model) for setting in self.workers for model in models]
        for done, (setting, model) in enumerate(steps):
            self.report(f"loading {model} in {setting.runtime.label}", done, len(steps))
            folder = models[model]
            if setting.runtime.file in folder.missing:
                self.measured.refused[setting, model] = folder.missing[setting.runtime.file]
            self.ask(setting, model, Server.load, model, str(folder.folder))

    def measure(
        self, cases: list[tuple[Setting, Case]], plan: SamplingPlan, rng: np.random.Generator
    ) -> None:
        """Warms every case up, then `plan.rounds` rounds over all of them in random order.

        Then cases of which too little is known have further rounds. Turns that other work disturbed
        are taken again.
        """
        cases, self.measured.rounds = self._warm(cases, plan), plan.rounds
        for number in range(plan.rounds):
            self._round(cases, plan, rng, f"round {number + 1}/{plan.rounds}")
        self.take_again()
        for number in range(plan.rounds, plan.rounds + plan.more_rounds):
            if undecided := self.measured.undecided():
                self._round(undecided, plan, rng, f"wide intervals, round {number + 1}")
        self.take_again(plan.rounds)
        for setting, case in [*self.measured.turns]:  # one that fell out half-way has no figures
            if self.measured.reason(setting, case.model) is not None:
                self.measured.turns.pop((setting, case), None)

    def _round(
        self,
        cases: list[tuple[Setting, Case]],
        plan: SamplingPlan,
        rng: np.random.Generator,
        name: str,
    ) -> None:
        """A turn of each case: process by process, and within each, in random order."""
        by_setting: dict[Setting, list[Case]] = {}
        for index in rng.permutation(len(cases)):
            setting, case = cases[index]
            by_setting.setdefault(setting, []).append(case)
        done = 0
        for setting, own in by_setting.items():
            self.report(f"{name}, {setting.runtime.label}", done, len(cases))
            done += len(own)
            taken = [self.measured.turns.setdefault((setting, case), []) for case in own]
            rules = [
                plan.rule(case.batch_size).share(plan.rounds, so_far)
                for case, so_far in zip(own, taken, strict=True)
            ]
            for so_far, turn in zip(taken, self._block(setting, own, rules), strict=True):
                so_far.extend([] if turn is None else [turn])

    def _block(self, setting: Setting, cases: list[Case], rules: list[Rule]) -> list[Turn | None]:
        """A turn of each case, one after the other; None of one that the process refuses.

        What others did is counted in ticks of 10 ms: too coarse for a turn, so it is judged over
        all of them together, too.
        """
        self.ask(setting, WHOLE, Server.watch)
        turns = [
            self.ask(setting, case.model, Server.turn, case, rule)
            for case, rule in zip(cases, rules, strict=True)
        ]
        disturbed = self.ask(setting, WHOLE, Server.disturbed)
        return [
            turn if turn is None or turn.disturbed else replace(turn, disturbed=disturbed)
            for turn in turns
        ]

    def take_again(self, first: int = 0) -> None:
        """Takes disturbed turns again, the same queries; one that is quiet now stands instead.

        Of the rounds from the `first` on. It stops after a share of the time that all turns took,
        and where the machine stays busy.
        """
        turns = self.measured.turns
        again: dict[tuple[Setting, int], list[Case]] = {}  # of a process and a round
        for (setting, case), taken in turns.items():
            for place, turn in enumerate(taken):
                if turn.disturbed and place >= first:
                    again.setdefault((setting, place), []).append(case)
        budget = _AGAIN * sum(float(t.seconds.sum()) for taken in turns.values() for t in taken)
        in_vain = 0
        for done, ((setting, place), cases) in enumerate(again.items()):
            before = [turns[setting, case][place] for case in cases]
            budget -= sum(float(turn.seconds.sum()) for turn in before)
            if budget < 0 or in_vain == _HOPELESS:
                break
            self.report(f"disturbed, again: {setting.runtime.label}", done, len(again))
            rules = [Rule(0.0, len(turn.seconds)) for turn in before]
            in_vain += 1
            for case, taken_again in zip(cases, self._block(setting, cases, rules), strict=True):
                if taken_again is not None and not taken_again.disturbed:
                    turns[setting, case][place] = taken_again
                    in_vain = 0

    def _warm(
        self, cases: list[tuple[Setting, Case]], plan: SamplingPlan
    ) -> list[tuple[Setting, Case]]:
        """Warms up, a model's batch sizes ascending; the cases that are to be measured.

        A batch that would take over `plan.longest` by the smaller ones before it is left out, and
        one that would take too much memory.
        """
        kept = []
        pace: dict[ServedModel, float] = {}  # seconds an image, in the largest batch so far
        for done, (setting, case) in enumerate(cases):
            expected = pace.get((setting, case.model), 0.0) * case.batch_size
            if plan.longest is not None and expected > plan.longest:
                reason = say("batch_too_slow", batch=case.batch_size, seconds=f"{expected:.1f}")
                self.measured.left_out[setting, case] = reason
                continue
            self.report(f"warming up {setting.runtime.label}", done, len(cases))
            typical = self.ask(setting, case.model, Server.warm, case, plan.warm_up)
            if isinstance(typical, TooLarge):
                self.measured.left_out[setting, case] = typical.reason(case.batch_size)
                continue
            if typical is not None:
                pace[setting, case.model] = typical / case.batch_size
            kept.append((setting, case))
        return kept


@contextmanager
def session(settings: list[Setting], parts: SessionParts, report: Report) -> Iterator[Session]:
    """Starts a process for each setting; all end with the block."""
    report("starting the runtimes", 0, 1)
    with ExitStack() as stack:
        workers = {s: stack.enter_context(closing(Worker(s.runtime, s.threads))) for s in settings}
        yield Session(workers, parts, report)
