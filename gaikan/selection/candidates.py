"""What could be installed at a stage, and whether it meets each of the stage's constraints.

A candidate is a network (variant, seed) with its threshold, in one runtime, precision and number
of threads; what a bundle on the base install does not run is none unless the stage asks for it.
Decisions are known as the reference runtime makes them. A runtime that gives another
class on some share of the test images (of a bundle timed alone: the validation images; labels
play no part) is charged for it: every figure is taken as if the same share of the validation parts
were errors of that figure's kind.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import TIMING, Range, Stage
from gaikan.evaluation.bounds import cost_per_1000
from gaikan.run_folder.decisions import Codes, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row, machine_of, runtime_of
from gaikan.run_folder.picks_file import Quality, Value
from gaikan.selection.bundles import ON_BASE
from gaikan.selection.quality import bounded, decide, of_kind, quality
from gaikan.selection.threshold import Border, Borders, level_each


@dataclass(frozen=True, eq=False)
class JudgedNetwork:
    """A network on its validation parts, for one stage and runtime."""

    network: NetworkDecisions
    threshold: float | None
    holds: bool  # whether the threshold meets the stage's escape ceilings
    predicted: Codes
    quality: Quality  # with an escape bound only where the stage limits it
    values: dict[str, float | None]  # by constraint, charged with what the runtime changes


@dataclass(frozen=True, eq=False)
class Candidate:
    """Something that could be installed; `failed` are the constraints that it does not meet."""

    judged: JudgedNetwork
    row: Row
    lost: float  # share of the test images that the runtime gives another class
    values: dict[str, Value]  # by constraint of the stage
    failed: tuple[str, ...]
    merit: float  # by the stage's objective; more is better

    @property
    def variant(self) -> str:
        """Of the network."""
        return self.judged.network.variant

    @property
    def seed(self) -> int:
        """Of the network."""
        return self.judged.network.seed

    @cached_property
    def speed(self) -> tuple[float, float]:
        """What decides between candidates that cannot be told apart: faster, then smaller."""
        return (self.row.p50_ms or 0.0, float(self.row.model_bytes or 0))

    @cached_property
    def size(self) -> float:
        """Bytes of the model file, to three digits: a few bytes more are the name of a class."""
        return float(f"{self.row.model_bytes or 0:.3g}")

    @cached_property
    def rank(self) -> tuple[float, float, float, float, str, int, str]:
        """Smaller is better: by the objective, then faster, smaller, more accurate, by name."""
        row = self.row
        return (
            -self.merit,
            *self.speed,
            -(self.judged.values["accuracy"] or 0.0),
            self.variant,
            self.seed,
            f"{row.machine} {row.device} {row.runtime} {row.precision} {row.threads}",
        )


@dataclass(frozen=True)
class Met:
    """Some of a stage's constraints: their values, and which are not met."""

    values: dict[str, Value]
    failed: tuple[str, ...]

    @classmethod
    def by_row(
        cls, row: Row, allowed: dict[str, tuple[str, ...]], limits: dict[str, Range]
    ) -> "Met":
        """Those on where and how fast it runs."""
        values: dict[str, Value] = {
            name: runtime_of(row) if name == "runtimes" else getattr(row, name) for name in allowed
        }
        failed = [name for name, names in allowed.items() if values[name] not in names]
        for name in limits:
            if name in TIMING:
                value = values[name] = getattr(row, name)
                if not (limits[name].holds(value) or _exempt(name, value, row, limits[name])):
                    failed.append(name)
        return cls(values, tuple(failed))

    @classmethod
    def by_quality(cls, judged: JudgedNetwork, limits: dict[str, Range]) -> "Met":
        """Those on how good it is."""
        values = {name: judged.values[name] for name in limits if name not in TIMING}
        failed = [name for name, value in values.items() if not limits[name].holds(value)]
        return cls(dict(values), tuple(failed))


class Judging:
    """A run's networks and settings, judged stage by stage; what is slow is kept."""

    def __init__(self, run: RunFiles, factory: FactoryConfig, most: float) -> None:
        """`most` is the largest escape ceiling that will be asked for."""
        self.run = run
        self.factory = factory
        self.most = most
        self._borders: dict[int, Borders | None] = {}
        self._judged: dict[object, JudgedNetwork] = {}
        self._tested: dict[JudgedNetwork, Quality] = {}

    @cached_property
    def level(self) -> float:
        """At which each network's escape rate is bounded."""
        return level_each(len(self.run.networks))

    def candidates(self, stage: Stage, fitting: bool = False) -> list[Candidate]:
        """All of them, or only those whose place and speed fit; who qualifies has none failed."""
        limits, settings = stage.limits, self._settings(stage)
        found = []
        for network in self.run.networks:
            judged: dict[float, tuple[JudgedNetwork, Met]] = {}
            for row, lost, fits in settings.get(network.variant, ()):
                if fitting and fits.failed:
                    continue
                if lost not in judged:
                    own = self.judged(network, stage, lost)
                    judged[lost] = own, Met.by_quality(own, limits)
                own, good = judged[lost]
                values, failed = fits.values | good.values, fits.failed + good.failed
                found.append(Candidate(own, row, lost, values, failed, _merit(stage, own, row)))
        return found

    def _settings(self, stage: Stage) -> dict[str, list[tuple[Row, float, "Met"]]]:
        """By variant: its rows, the share of images each gives another class, what each meets."""
        allowed, limits = stage.allowed, stage.limits
        found: dict[str, list[tuple[Row, float, Met]]] = {}
        for row in _at(self.run.rows, stage.batch_size):
            if not _asked_for(row, stage):
                continue
            lost = 0.0 if row.agreement is None else round(1 - row.agreement, 9)
            met = Met.by_row(row, allowed, limits)
            found.setdefault(row.variant, []).append((row, lost, met))
        return found

    def judged(self, network: NetworkDecisions, stage: Stage, lost: float = 0.0) -> JudgedNetwork:
        """The network with the threshold that the stage's ceilings ask for."""
        ceilings = stage.ceilings
        weights = self.costs if stage.objective == "cost" else (0.0, 1.0)
        key = (id(network), lost, *ceilings.items(), weights, *stage.recall)
        if key not in self._judged:
            self._judged[key] = self._judge(network, ceilings, weights, stage, lost)
        return self._judged[key]

    def on_validation(self, judged: JudgedNetwork) -> Quality:
        """Its figures on validation, with an escape bound if only for it alone."""
        return bounded(judged.quality, judged.network.validation, judged.predicted, self.run.ok)

    def on_test(self, judged: JudgedNetwork) -> Quality:
        """Its figures on test, with its threshold; the escape bound is for it alone."""
        if judged not in self._tested:
            part, ok = judged.network.test, self.run.ok
            said = decide(part, ok, judged.threshold)
            found = quality(part, said, ok, self.factory)
            self._tested[judged] = bounded(found, part, said, ok)
        return self._tested[judged]

    @property
    def costs(self) -> tuple[float, float]:
        """Of 1,000 parts if every defective one escaped, and if every good one were rejected."""
        rates = ((1.0, 0.0), (0.0, 1.0))
        escape, overkill = (cost_per_1000(*each, self.factory) or 0.0 for each in rates)
        return escape, overkill

    def _judge(
        self,
        network: NetworkDecisions,
        ceilings: dict[str, float],
        weights: tuple[float, float],
        stage: Stage,
        lost: float,
    ) -> JudgedNetwork:
        part, ok = network.validation, self.run.ok
        border: Border | None = None
        if ceilings:
            borders = self._of(network)
            if borders is not None:
                extra = lost * len(part) / int((part.label != ok).sum())
                border = borders.fit({n: limit - extra for n, limit in ceilings.items()}, weights)
        threshold = None if border is None else border.threshold
        predicted = decide(part, ok, threshold)
        bound = border.bound if border is not None and "escape_bound" in ceilings else None
        found = quality(part, predicted, ok, self.factory, bound)
        if stage.escape_bound is not None:
            found = bounded(found, part, predicted, ok)
        values = _charged(found, lost, part.class_sizes, self.factory)
        for kind in stage.recall:
            parts = of_kind(part, kind, self.run.classes, self.run.modes)
            values[f"recall.{kind}"] = _recall(predicted == part.label, parts, lost)
        holds = not ceilings or (border is not None and border.holds)
        return JudgedNetwork(network, threshold, holds, predicted, found, values)

    def _of(self, network: NetworkDecisions) -> Borders | None:
        if id(network) not in self._borders:
            assert self.run.ok is not None
            found = Borders.of(network.validation, self.run.ok, self.level, self.most)
            self._borders[id(network)] = found
        return self._borders[id(network)]


def _at(rows: tuple[Row, ...], batch_size: int) -> list[Row]:
    """Rows at a batch size; those that include decoding only where there are no others."""
    found: dict[object, Row] = {}
    for row in sorted(rows, key=lambda row: row.includes_decode):
        if row.batch_size == batch_size:
            found.setdefault((machine_of(row), row.variant, runtime_of(row), row.threads), row)
    return list(found.values())


def _asked_for(row: Row, stage: Stage) -> bool:
    """Whether the base install runs it, or the stage names its runtime, or else its GPU."""
    label = runtime_of(row)
    if stage.runtimes is None and stage.device == "cuda" and row.device == "cuda":
        return True
    return label in ON_BASE or label in (stage.runtimes or ())


def _exempt(name: str, value: float | None, row: Row, limit: Range) -> bool:
    """A GPU has no threads to limit; agreement may be unknown where `min = 0` asks for none."""
    if name == "threads":
        return row.device == "cuda"
    return name == "agreement" and value is None and not limit.min


def _charged(
    found: Quality, lost: float, class_sizes: Codes, factory: FactoryConfig
) -> dict[str, float | None]:
    """Figures by name, as if `lost` of all parts were errors of that figure's kind."""
    errors = lost * found.n
    recall_lost = min(1.0, errors / int(class_sizes.min())) / len(class_sizes)

    def more(rate: float | None, parts: float | None) -> float | None:
        return None if rate is None or not parts else min(1.0, rate + errors / parts)

    escape, overkill = (
        more(found.escape_rate, found.defects),
        more(found.overkill_rate, found.goods),
    )
    known = escape is not None and overkill is not None
    return {
        "accuracy": max(0.0, found.accuracy - lost),
        "balanced_accuracy": max(0.0, found.balanced_accuracy - recall_lost),
        "escape_rate": escape,
        "escape_bound": more(found.escape_bound, found.defects),
        "overkill_rate": overkill,
        "cost": cost_per_1000(escape or 0.0, overkill or 0.0, factory) if known else None,
    }


def _recall(right: NDArray[np.bool_], parts: NDArray[np.bool_], lost: float) -> float | None:
    """Share of `parts` (N,) that are `right` (N,), charged; None where there are none."""
    count = int(parts.sum())
    if not count:
        return None
    return max(0.0, float(right[parts].mean()) - lost * len(right) / count)


def _merit(stage: Stage, judged: JudgedNetwork, row: Row) -> float:
    """The objective as a number of which more is better; a figure that is not there is worst."""
    if stage.objective == "latency":
        return -(row.p50_ms or 0.0)
    if stage.objective == "accuracy":
        return judged.values["accuracy"] or 0.0
    name = {"escape": "escape_rate", "overkill": "overkill_rate", "cost": "cost"}[stage.objective]
    value = judged.values[name]
    return -float("inf") if value is None else -value
