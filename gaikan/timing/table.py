"""From what was measured to the rows of `latency.csv`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gaikan import machine
from gaikan.timing.agreement import Agreement
from gaikan.timing.measure import PLANS, Turn, describe
from gaikan.timing.prepared import Computation, Prepared, computation_of
from gaikan.timing.roofline import Roofline
from gaikan.timing.rows import Row
from gaikan.timing.run_folder import Options
from gaikan.timing.runtimes import REFERENCE, RUNTIMES, Runtime, Setting
from gaikan.timing.session import Measured
from gaikan.timing.worker import Case

_SLACK = 0.25  # share of the cores that the clock's grain may add
_SECONDS = 1.0  # processor time comes in ticks of up to 10 ms: less says nothing about cores


@dataclass(frozen=True)
class Table:
    """From what was measured to the rows of `latency.csv`."""

    options: Options
    prepared: Prepared
    measured: Measured
    scores: dict[tuple[Runtime, str], Agreement]
    rooflines: dict[tuple[str, int | None], Roofline]

    def rows(self, runtimes: list[Runtime], unavailable: dict[Runtime, str | None]) -> list[Row]:
        """All variants in all runtimes; what was not measured, with the reason."""
        rows = []
        for variant, model in self.variants().items():
            for runtime in runtimes:
                reason = unavailable[runtime]
                if reason is not None:
                    rows.append(self._row(variant, Setting(runtime, None), None, skipped=reason))
                else:
                    settings = [runtime.setting(threads) for threads in self.options.all_threads]
                    for setting in dict.fromkeys(settings):
                        rows += self._timed(variant, self.prepared.computations[model], setting)
        return rows

    def variants(self) -> dict[str, str]:
        """Each variant's computation."""
        return {
            f"{trained.network}-{decision}": computation_of(trained.arch, decision)
            for trained, _ in self.prepared.scored
            for decision in trained.module.decisions
        }

    def _row(self, variant: str, setting: Setting, batch_size: int | None, **columns: Any) -> Row:
        return Row(
            machine=self.options.machine_name,
            processor=machine.processor(),
            cores=machine.cores(),
            variant=variant,
            computation=self.variants()[variant],
            device=setting.runtime.device,
            threads=setting.threads,
            runtime=setting.runtime.name,
            precision=setting.runtime.precision,
            batch_size=batch_size,
            includes_decode=self.options.include_decode,
            **columns,
        )

    def _timed(self, variant: str, computation: Computation, setting: Setting) -> list[Row]:
        measured, runtime = self.measured, setting.runtime
        score = self.scores.get((runtime, variant))
        columns: dict[str, Any] = {} if score is None else asdict(score)
        sizes = PLANS[self.options.plan].batches
        found = {s: measured.turns.get((setting, Case(computation.name, s))) for s in sizes}
        turns = {size: turn for size, turn in found.items() if turn is not None}
        reason = measured.reason(setting, computation.name) or _too_many_cores(setting, turns)
        if reason is not None:
            return [self._row(variant, setting, None, skipped=reason, **columns)]
        columns |= {
            "model_bytes": (computation.folder.folder / runtime.file).stat().st_size,
            "parameters": computation.parameters,
            "mflops": computation.operations,
        }
        probe = measured.probes.get((runtime, self.prepared.probed(computation)))
        if probe is not None:
            columns |= asdict(probe.started)
        described = {
            size: describe(found, size, self._reference(computation, setting, size))
            for size, found in turns.items()
        }
        best = max(described, key=lambda size: described[size]["images_per_s"] or 0)
        return [
            self._row(
                variant,
                setting,
                size,
                best_batch=size == best,
                peak_rss_mb=None if probe is None else probe.peak_rss_mb.get(size),
                roofline_share=self._share(computation, setting, size, figures),
                **columns,
                **figures,
            )
            for size, figures in described.items()
        ]

    def _reference(
        self, computation: Computation, setting: Setting, size: int
    ) -> list[Turn] | None:
        """The reference runtime's turns on as many threads; a GPU's is the fastest of them."""
        threads = setting.threads or self.options.all_threads[-1]
        case = Case(computation.name, size)
        return self.measured.turns.get((RUNTIMES[REFERENCE].setting(threads), case))

    def _share(
        self, computation: Computation, setting: Setting, size: int, figures: Mapping[str, Any]
    ) -> float | None:
        """Of the roofline; a GPU by its own clock, for copies to it are not its memory's work."""
        milliseconds = figures["device_p50_ms"] or figures["p50_ms"]
        roofline = self.rooflines.get((setting.runtime.precision, setting.threads))
        if roofline is None:
            return None
        model = (computation.folder.folder / setting.runtime.file).stat().st_size
        image = self.prepared.inputs.images[:1].nbytes
        operations = 1e6 * computation.operations * size
        return roofline.share(operations, model + image * size, milliseconds / 1e3)


def _too_many_cores(setting: Setting, turns: Mapping[int, Sequence[Turn]]) -> str | None:
    """Whether the runtime used more cores than it was given, in spite of what it says."""
    found = [turn for each in turns.values() for turn in each]
    seconds = sum(float(turn.seconds.sum()) for turn in found)
    if setting.threads is None or seconds < _SECONDS:
        return None
    used = sum(turn.cpu for turn in found) / seconds
    if used <= setting.threads * (1 + _SLACK):
        return None
    return f"set to {setting.threads} threads, it kept {used:.1f} cores busy"
