"""A timing session: a process for each runtime and number of threads, working in turns.

Torch is needed only by the runtimes that are torch.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar, TypeVarTuple

import numpy as np

from gaikan.run_folder.latency_rows import Row
from gaikan.timing.footprint import TooLarge
from gaikan.timing.measure import Rule, SamplingPlan, Turn, described, too_many_cores
from gaikan.timing.runtime_process import Case, Probe, RefusedError, Server, SessionParts, Worker
from gaikan.timing.runtimes import ModelFolder, Runtime, Setting

ServedModel = tuple[Setting, str]  # a model in the process of a setting
Report = Callable[[str, int, int], None]  # what is done, how many of how many

_Given = TypeVarTuple("_Given")
_Reply = TypeVar("_Reply")

_AGAIN = 0.3  # of the time that all turns took may be spent on taking disturbed ones again
_HOPELESS = 8  # disturbed again one after the other: the machine is busy throughout
_WHOLE = ""  # as the name of a model: the whole process refused


@dataclass
class Measured:
    """What a session gave; `refused` and `left_out` say why something is missing."""

    turns: dict[tuple[Setting, Case], list[Turn]] = field(default_factory=dict)
    probes: dict[tuple[Runtime, str], Probe] = field(default_factory=dict)
    refused: dict[ServedModel, str] = field(default_factory=dict)
    left_out: dict[tuple[Setting, Case], str] = field(default_factory=dict)

    def reason(self, setting: Setting, model: str) -> str | None:
        """Why this model has no figures there; None where it has."""
        return self.refused.get((setting, _WHOLE)) or self.refused.get((setting, model))

    def rows(
        self, row: Row, setting: Setting, model: str, probed: str, reference: Setting | None = None
    ) -> list[Row]:
        """`row` for each batch size of a model, with its figures or the reason why it has none.

        Speeds are over the `reference`; start and memory are those of model `probed`. A model that
        has no figures at all gives one row, of no batch size.
        """
        sizes = sorted(c.batch_size for s, c in self.turns if (s, c.model) == (setting, model))
        turns = {size: self.turns[setting, Case(model, size)] for size in sizes}
        reason = self.reason(setting, model) or too_many_cores(setting.threads, turns.values())
        if reason is not None:
            return [replace(row, skipped=reason)]
        started, peaks = row, {}
        if probe := self.probes.get((setting.runtime, probed)):
            load_ms, cold_start_ms = probe.started.load_ms, probe.started.cold_start_ms
            started = replace(row, load_ms=load_ms, cold_start_ms=cold_start_ms)
            peaks = probe.peak_rss_mb
        rows = []
        for size in sizes:
            over = self.turns.get((reference, Case(model, size))) if reference else None
            figures = described(started, size, turns[size], over)
            rows.append(replace(figures, peak_rss_mb=peaks.get(size)))
        best = max(rows, key=lambda row: row.images_per_s or 0)
        return [replace(row, best_batch=row is best) for row in rows] + [
            replace(row, batch_size=case.batch_size, skipped=reason)
            for (at, case), reason in self.left_out.items()
            if (at, case.model) == (setting, model)
        ]


class Session:
    """The processes of all settings; at any time at most one of them works."""

    def __init__(self, workers: dict[Setting, Worker], parts: SessionParts, report: Report) -> None:
        self.workers, self.parts, self.report = workers, parts, report
        self.measured = Measured()
        for setting in workers:
            self.use(setting, parts)

    def use(self, setting: Setting, parts: SessionParts) -> None:
        """From now on the process of `setting` predicts these images."""
        self.ask(setting, _WHOLE, Server.use, parts)

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
            self.measured.refused[setting, _WHOLE if dead else model] = str(error)
            return None

    def probe(self, models: dict[str, ModelFolder], threads: int, batches: tuple[int, ...]) -> None:
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
                probe = self.ask(setting, first, Server.probe, first, folders.pop(first), batches)
                if probe is not None:
                    self.measured.probes[runtime, first] = probe
                # `load` brings it again, with the others.
                self.ask(setting, first, Server.drop, first)
            for model, alone in self._probe_alone(setting, folders, batches).items():
                self.measured.probes[runtime, model] = alone

    def _probe_alone(
        self, setting: Setting, folders: dict[str, str], batches: tuple[int, ...]
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
                    probes[model] = worker.ask(Server.probe, model, folders[model], batches)
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

        Turns that other work disturbed are taken again at the end.
        """
        total = len(cases) * (plan.rounds + 1)
        cases = self._warm(cases, plan, total)
        for number in range(plan.rounds):
            for done, index in enumerate(rng.permutation(len(cases))):
                setting, case = cases[index]
                self.report(
                    f"round {number + 1}/{plan.rounds}, {setting.runtime.label}",
                    total // (plan.rounds + 1) * (number + 1) + done,
                    total,
                )
                so_far = self.measured.turns.get((setting, case), [])
                rule = plan.rule(case.batch_size).share(plan.rounds, so_far)
                turn = self.ask(setting, case.model, Server.turn, case, rule)
                if turn is not None:
                    self.measured.turns.setdefault((setting, case), []).append(turn)
        for setting, case in cases:  # a case that fell out half-way has no figures
            if self.measured.reason(setting, case.model) is not None:
                self.measured.turns.pop((setting, case), None)
        self.take_again()

    def take_again(self) -> None:
        """Takes disturbed turns again, the same queries; one that is quiet now stands instead.

        It stops after a share of the time that all turns took, and where the machine stays busy.
        """
        turns = self.measured.turns
        again = [
            (setting, case, place)
            for (setting, case), taken in turns.items()
            for place, turn in enumerate(taken)
            if turn.disturbed
        ]
        budget = _AGAIN * sum(float(t.seconds.sum()) for taken in turns.values() for t in taken)
        in_vain = 0
        for done, (setting, case, place) in enumerate(again):
            before = turns[setting, case][place]
            took = float(before.seconds.sum())
            if budget < took or in_vain == _HOPELESS:
                break
            budget -= took
            self.report(f"disturbed, again: {setting.runtime.label}", done, len(again))
            rule = Rule(0.0, len(before.seconds))
            turn = self.ask(setting, case.model, Server.turn, case, rule)
            is_quiet = turn is not None and not turn.disturbed
            if turn is not None and is_quiet:
                turns[setting, case][place] = turn
            in_vain = 0 if is_quiet else in_vain + 1

    def _warm(
        self, cases: list[tuple[Setting, Case]], plan: SamplingPlan, total: int
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
                words = f"takes about {expected:.1f} s; --thorough measures it"
                self.measured.left_out[setting, case] = f"a batch of {case.batch_size} {words}"
                continue
            self.report(f"warming up {setting.runtime.label}", done, total)
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
