"""What could be installed at a stage, and whether it meets each of the stage's constraints.

A candidate is a network (variant, seed) with its threshold, in one runtime, precision and number
of threads. Runtimes that the base install lacks count only where the stage asks for them.
Decisions are those of the reference runtime. A runtime that gives another class on some share of
the test images, whatever their labels (of a bundle timed alone: the validation images), is charged
for it: every figure is taken as if the same share of the validation parts were errors of that
figure's kind.
"""

from copy import copy
from dataclasses import dataclass
from functools import cached_property

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import TIMING, Range, Stage
from gaikan.evaluation.costs import cost_per_1000, extreme_costs
from gaikan.evaluation.counts import recall
from gaikan.evaluation.statistics import LEVEL
from gaikan.run_folder.decisions import Codes, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row
from gaikan.run_folder.picks_file import Quality, Value
from gaikan.selection.handed_over import asking_level, settled
from gaikan.selection.lots import CHOOSE_TOO, ENOUGH, divided, fewest_lots
from gaikan.selection.quality import bounded, decide, of_kind, quality
from gaikan.selection.settings import Met, asked_for, at_batch_size, met_by_row
from gaikan.selection.threshold import Border, Borders, level_each
from gaikan.selection.unseen_modes import BorderAndLevel, JudgedModes, worst_share

# Figures of good parts or of one kind of parts, of which few lots may have none.
_OF_A_KIND = ("recall.", "overkill_rate", "ask_rate", "cost")


@dataclass(frozen=True, eq=False)
class JudgedNetwork:
    """A network on its validation parts, for one stage and runtime."""

    network: NetworkDecisions
    threshold: float | None
    ask_level: float | None  # of the novelty p-value; None: nothing is asked
    holds: bool  # whether the threshold meets the stage's escape ceilings
    predicted: Codes
    settled: Codes  # once a person has looked at what is asked
    quality: Quality  # with an escape bound only where the stage limits it
    values: dict[str, float | None]  # by constraint, charged with what the runtime changes

    @property
    def setting(self) -> BorderAndLevel:
        """How it is installed."""
        return BorderAndLevel(self.threshold, self.ask_level)


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
        """The variant of its network."""
        return self.judged.network.variant

    @property
    def seed(self) -> int:
        """The seed of its network."""
        return self.judged.network.seed

    @cached_property
    def speed(self) -> tuple[float, float]:
        """(p50 in ms, bytes of the model file): what decides between tied candidates."""
        return (self.row.p50_ms or 0.0, float(self.row.model_bytes or 0))

    @cached_property
    def size(self) -> float:
        """Bytes of the model file to three digits: a few bytes may be the name of a class."""
        return float(f"{self.row.model_bytes or 0:.3g}")

    @cached_property
    def rank(self) -> tuple[float, float, float, float, str, int, str]:
        """Sort key, best first: objective, then speed, size, accuracy, and names."""
        row = self.row
        return (
            -self.merit,
            *self.speed,
            -(self.judged.values["accuracy"] or 0.0),
            self.variant,
            self.seed,
            f"{row.machine} {row.device} {row.runtime} {row.precision} {row.threads}",
        )


class Judging:
    """Judges a run's networks and settings stage by stage; keeps what is slow to work out.

    Where few lots are divided, it judges those that choose, and `calibration` the others.
    """

    def __init__(
        self, run: RunFiles, factory: FactoryConfig, most: float, calibrates: bool = False
    ) -> None:
        """`most` is the largest escape ceiling of all stages and of their sensitivity maps."""
        lots = fewest_lots(run)
        speaks = calibrates or (lots is not None and lots >= ENOUGH)
        self.calibration = self
        if speaks and not calibrates and lots is not None and lots < CHOOSE_TOO:
            run, others = divided(run)
            self.calibration = Judging(others, factory, most, calibrates=True)
        alone = calibrates or self.calibration is not self
        self.level = LEVEL if alone else level_each(len(run.networks))  # of each escape bound
        self.run: RunFiles = run
        self.modes = JudgedModes.of(run.networks, choosing=self.calibration is not self)
        # Lots that speak for new ones; None: nothing is promised for new lots. Those that choose
        # ask of each network what so many lots like themselves would show.
        self.lots: int | None = fewest_lots(self.calibration.run) if speaks else None
        self.factory = factory
        self.most = most
        self.costs = extreme_costs(factory)
        self._borders: dict[tuple[int, float | None], Borders | None] = {}
        self._judged: dict[object, JudgedNetwork] = {}
        self._tested: dict[JudgedNetwork, Quality] = {}
        self._worst: dict[tuple[int, BorderAndLevel], float | None] = {}
        self._even = False

    def at_even_odds(self) -> "Judging":
        """The same, but lots that only choose count parts one by one, at a level of 50 %.

        They promise nothing. Asked for as much as those that calibrate, one hard defect of few lots
        may set a border at which no network seems to reject few good parts (`bench/README.md`).
        """
        even = copy(self)
        even._even, even._borders, even._judged, even._tested = True, {}, {}, {}
        return even

    def candidates(self, stage: Stage, fitting: bool = False) -> list[Candidate]:
        """All candidates of a stage; `fitting`: those that meet its limits on place and speed."""
        limits, settings = stage.limits, self._settings(stage)
        candidates = []
        for network in self.run.networks:
            judged: dict[float, tuple[JudgedNetwork, Met]] = {}
            for row, lost, (values, failed) in settings.get(network.variant, ()):
                if fitting and failed:
                    continue
                if lost not in judged:
                    own = self.judged(network, stage, lost)
                    judged[lost] = own, self._met_by_quality(own, limits)
                own, (figures, missed) = judged[lost]
                both, merit = values | figures, _merit(stage, own, row)
                candidates.append(Candidate(own, row, lost, both, failed + missed, merit))
        return candidates

    def calibrated(self, candidate: Candidate, stage: Stage) -> Candidate:
        """The candidate as the lots judge it that had no part in the choice, where there are any.

        Its threshold there is that to be installed.
        """
        if self.calibration is self:
            return candidate
        network = (candidate.variant, candidate.seed)
        return next(
            other
            for other in self.calibration.candidates(stage)
            if other.row is candidate.row and (other.variant, other.seed) == network
        )

    def _settings(self, stage: Stage) -> dict[str, list[tuple[Row, float, Met]]]:
        """By variant: rows, the share of images each gives another class, and what each meets."""
        settings: dict[str, list[tuple[Row, float, Met]]] = {}
        for row in at_batch_size(self.run.rows, stage.batch_size):
            if asked_for(row, stage):
                lost = 0.0 if row.agreement is None else round(1 - row.agreement, 9)
                settings.setdefault(row.variant, []).append((row, lost, met_by_row(row, stage)))
        return settings

    def judged(self, network: NetworkDecisions, stage: Stage, lost: float = 0.0) -> JudgedNetwork:
        """The network with the threshold that the stage's ceilings ask for."""
        ceilings = stage.ceilings
        weights = {"cost": self.costs, "overkill": (0.0, 1.0)}.get(stage.objective)
        bounded_too = stage.escape_bound is not None  # also where only its `min` is given
        key = (id(network), lost, *ceilings.items(), weights, bounded_too, *stage.recall)
        key += (stage.asks, stage.unseen_escape is not None)
        if key not in self._judged:
            self._judged[key] = self._judge(network, ceilings, weights, stage, lost)
        return self._judged[key]

    def on_validation(self, judged: JudgedNetwork) -> Quality:
        """Figures on validation; an escape bound that is missing is that of this network alone."""
        part = judged.network.validation
        return bounded(judged.quality, part, judged.predicted, self.run.ok, judged.ask_level)

    def on_test(self, judged: JudgedNetwork) -> Quality:
        """Figures on test with its threshold; the escape bound is that of this network alone."""
        if judged not in self._tested:
            part, ok = judged.network.test, self.run.ok
            predicted = decide(part, ok, judged.threshold)
            level = judged.ask_level
            tested = quality(part, predicted, ok, self.factory, level=level)
            self._tested[judged] = bounded(tested, part, predicted, ok, level)
        return self._tested[judged]

    def _judge(
        self,
        network: NetworkDecisions,
        ceilings: dict[str, float],
        weights: tuple[float, float] | None,
        stage: Stage,
        lost: float,
    ) -> JudgedNetwork:
        part, ok = network.validation, self.run.ok
        level = asking_level(part, ok, stage.asks)
        border: Border | None = None
        if ceilings:
            borders = self._borders_of(network, level)
            if borders is not None:
                extra = lost * len(part) / int((part.label != ok).sum())
                border = borders.fit({n: limit - extra for n, limit in ceilings.items()}, weights)
        threshold = None if border is None else border.threshold
        predicted = decide(part, ok, threshold)
        bound = border.bound if border is not None and "escape_bound" in ceilings else None
        figures = quality(part, predicted, ok, self.factory, bound, level)
        if stage.escape_bound is not None:
            figures = bounded(figures, part, predicted, ok, level)
        values = _charged(figures, lost, part.class_sizes, self.factory)
        for kind in stage.recall:
            parts = of_kind(part, kind, self.run.classes, self.run.modes)
            share = recall(predicted == part.label, parts)
            if share is not None:
                share = max(0.0, share - lost * len(part) / int(parts.sum()))
            values[f"recall.{kind}"] = share
        if stage.unseen_escape is not None:
            worst = self._worst_share(network, BorderAndLevel(threshold, level))
            charge = lost * len(part) / max(1, figures.defects or 0)  # as of known defects
            values["unseen_escape"] = None if worst is None else min(1.0, worst + charge)
        holds = not ceilings or (border is not None and border.holds)
        after = settled(part, predicted, ok, level)
        return JudgedNetwork(network, threshold, level, holds, predicted, after, figures, values)

    def _met_by_quality(self, judged: JudgedNetwork, limits: dict[str, Range]) -> Met:
        """The constraints on how good its decisions are.

        Few lots that only choose may have no part of a kind: then the others tell.
        """
        values = {name: judged.values[name] for name in limits if name not in TIMING}
        failed = [name for name, value in values.items() if not limits[name].holds(value)]
        if self.calibration is not self:
            failed = [n for n in failed if values[n] is not None or not n.startswith(_OF_A_KIND)]
        return dict(values), tuple(failed)

    def _worst_share(self, network: NetworkDecisions, setting: BorderAndLevel) -> float | None:
        key = id(network), setting
        if key not in self._worst:
            assert self.run.ok is not None
            ok = self.run.ok
            self._worst[key] = worst_share(network, ok, setting, "validation", self.modes)
        return self._worst[key]

    def _borders_of(self, network: NetworkDecisions, ask_level: float | None) -> Borders | None:
        key = id(network), ask_level
        if key not in self._borders:
            assert self.run.ok is not None
            part, ok = network.validation, self.run.ok
            level, lots = (0.5, None) if self._even else (self.level, self.lots)
            borders = Borders.of(part, ok, level, lots, self.most, ask_level)
            self._borders[key] = borders
        return self._borders[key]


def _charged(
    figures: Quality, lost: float, class_sizes: Codes, factory: FactoryConfig
) -> dict[str, float | None]:
    """Figures by name, as if `lost` of all parts were errors of that figure's kind."""
    errors = lost * figures.n
    recall_lost = min(1.0, errors / int(class_sizes.min())) / len(class_sizes)

    def more(rate: float | None, parts: float | None) -> float | None:
        return None if rate is None or not parts else min(1.0, rate + errors / parts)

    escape = more(figures.escape_rate, figures.defects)
    overkill = more(figures.overkill_rate, figures.goods)
    known = escape is not None and overkill is not None
    return {
        "accuracy": max(0.0, figures.accuracy - lost),
        "balanced_accuracy": max(0.0, figures.balanced_accuracy - recall_lost),
        "escape_rate": escape,
        "escape_bound": more(figures.escape_bound, figures.defects),
        "overkill_rate": overkill,
        "ask_rate": figures.ask_rate,  # another class is no other novelty
        "cost": cost_per_1000(escape or 0.0, overkill or 0.0, factory) if known else None,
    }


def _merit(stage: Stage, judged: JudgedNetwork, row: Row) -> float:
    """The objective as a number, larger is better; a figure that is missing is the worst."""
    if stage.objective == "latency":
        return -(row.p50_ms or 0.0)
    if stage.objective == "accuracy":
        return judged.values["accuracy"] or 0.0
    name = {"escape": "escape_rate", "overkill": "overkill_rate", "cost": "cost"}[stage.objective]
    value = judged.values[name]
    return -float("inf") if value is None else -value
