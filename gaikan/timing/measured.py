"""What a timing session measured: turns, starts, and why something is missing."""

import math
from dataclasses import dataclass, field, replace

from gaikan.language.words import Words
from gaikan.run_folder.latency_rows import Row
from gaikan.timing.measure import Turn, described, p50_ms, too_many_cores
from gaikan.timing.runtime_process import Case, Probe
from gaikan.timing.runtimes import Runtime, Setting

ServedModel = tuple[Setting, str]  # a model in the process of a setting
WHOLE = ""  # as the name of a model: the whole process refused


@dataclass
class Measured:
    """What a session gave; `refused` and `left_out` say why something is missing."""

    turns: dict[tuple[Setting, Case], list[Turn]] = field(default_factory=dict)
    probes: dict[tuple[Runtime, str], Probe] = field(default_factory=dict)
    refused: dict[ServedModel, Words] = field(default_factory=dict)
    left_out: dict[tuple[Setting, Case], Words] = field(default_factory=dict)
    rounds: int = 0  # that every case has; further ones are of some cases only

    def reason(self, setting: Setting, model: str) -> Words | None:
        """Why this model has no figures there; None where it has."""
        return self.refused.get((setting, WHOLE)) or self.refused.get((setting, model))

    def in_every_round(self, setting: Setting, case: Case) -> list[Turn] | None:
        """The turns to compare others with, round by round; None where there are none."""
        turns = self.turns.get((setting, case))
        return None if turns is None else turns[: self.rounds]

    def undecided(self) -> list[tuple[Setting, Case]]:
        """Cases of one image with a wide interval that may be the fastest of their model.

        The others are slower than another runtime on as many threads, or are known well enough.
        """
        found = {
            (setting, case): p50_ms(turns)
            for (setting, case), turns in self.turns.items()
            if case.batch_size == 1 and turns
        }
        fastest: dict[tuple[int | None, str], float] = {}  # the most that the fastest may take
        for (setting, case), p50 in found.items():
            place = (setting.threads, case.model)
            fastest[place] = min(fastest.get(place, math.inf), p50.high or math.inf)
        return [
            (setting, case)
            for (setting, case), p50 in found.items()
            if p50.is_wide and (p50.low or 0.0) <= fastest[setting.threads, case.model]
        ]

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
            over = self.in_every_round(reference, Case(model, size)) if reference else None
            figures = described(started, size, turns[size], over)
            rows.append(replace(figures, peak_rss_mb=peaks.get(size)))
        best = max(rows, key=lambda row: row.images_per_s or 0)
        return [replace(row, best_batch=row is best) for row in rows] + [
            replace(row, batch_size=case.batch_size, skipped=reason)
            for (at, case), reason in self.left_out.items()
            if (at, case.model) == (setting, model)
        ]
