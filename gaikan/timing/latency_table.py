"""Makes the rows of `latency.csv` from what was measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gaikan.run_folder.latency_rows import Row, computation_of
from gaikan.system import machine
from gaikan.timing.agreement import Agreement
from gaikan.timing.options import TimingOptions
from gaikan.timing.prepared import Computation, Prepared
from gaikan.timing.roofline import Roofline
from gaikan.timing.runtime_process import RefusedError
from gaikan.timing.runtimes import REFERENCE, Runtime, Setting
from gaikan.timing.session import Measured
from gaikan.variants import Variant


@dataclass(frozen=True)
class LatencyTable:
    """All that a timing measured, and its rows."""

    options: TimingOptions
    prepared: Prepared
    measured: Measured
    scores: dict[tuple[Runtime, str], Agreement]
    rooflines: dict[tuple[str, int | None], Roofline]

    def rows(self, runtimes: list[Runtime], unavailable: dict[Runtime, str | None]) -> list[Row]:
        """All variants in all runtimes; what was not measured, with the reason."""
        rows = []
        for variant in self.variants():
            computation = self.prepared.computations[_computation(variant)]
            for runtime in runtimes:
                reason = unavailable[runtime]
                if reason is not None:
                    rows.append(self._row(variant, Setting(runtime, None), None, skipped=reason))
                else:
                    settings = [runtime.setting(threads) for threads in self.options.all_threads]
                    for setting in dict.fromkeys(settings):
                        rows += self._timed(variant, computation, setting)
        return rows

    def variants(self) -> list[Variant]:
        """Every variant of the networks that were scored, once."""
        scored = self.prepared.scored
        return list(dict.fromkeys(v for trained, _ in scored for v in trained.variants))

    def _row(
        self, variant: Variant, setting: Setting, batch_size: int | None, **columns: Any
    ) -> Row:
        return Row(
            machine=self.options.machine_name,
            processor=machine.processor(),
            cores=machine.cores(),
            variant=variant.name,
            computation=_computation(variant),
            device=setting.runtime.device,
            threads=setting.threads,
            runtime=setting.runtime.name,
            precision=setting.runtime.precision,
            batch_size=batch_size,
            includes_decode=self.options.include_decode,
            network=self.prepared.keys[variant.network],
            **columns,
        )

    def _timed(self, variant: Variant, computation: Computation, setting: Setting) -> list[Row]:
        runtime = setting.runtime
        score = self.scores.get((runtime, variant.name))
        columns: dict[str, Any] = {} if score is None else asdict(score)
        probed = self.prepared.probed(computation)
        try:
            figures_of = self.measured.columns(
                setting, computation.name, probed, self._reference(setting)
            )
        except RefusedError as error:
            return [self._row(variant, setting, None, skipped=str(error), **columns)]
        columns |= {
            "model_bytes": (computation.folder.folder / runtime.file).stat().st_size,
            "parameters": computation.parameters,
            "mflops": computation.operations,
        }
        return [
            self._row(
                variant,
                setting,
                size,
                roofline_share=self._share(computation, setting, size, figures),
                **columns,
                **figures,
            )
            for size, figures in figures_of.items()
        ] + [
            self._row(variant, setting, size, skipped=reason, **columns)
            for size, reason in self.measured.left_out(setting, computation.name).items()
        ]

    def _reference(self, setting: Setting) -> Setting:
        """The reference runtime on as many threads; for a GPU, on the most threads."""
        return REFERENCE.setting(setting.threads or self.options.all_threads[-1])

    def _share(
        self, computation: Computation, setting: Setting, size: int, figures: Mapping[str, Any]
    ) -> float | None:
        """Share of the roofline, by a GPU's own clock, which does not count the copies to it."""
        milliseconds = figures["device_p50_ms"] or figures["p50_ms"]
        roofline = self.rooflines.get((setting.runtime.precision, setting.threads))
        if roofline is None:
            return None
        model = (computation.folder.folder / setting.runtime.file).stat().st_size
        image = self.prepared.inputs.images[:1].nbytes
        operations = 1e6 * computation.operations * size
        return roofline.share(operations, model + image * size, milliseconds / 1e3)


def _computation(variant: Variant) -> str:
    return computation_of(variant.arch, variant.anchor)
