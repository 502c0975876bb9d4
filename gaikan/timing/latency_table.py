"""Makes the rows of `latency.csv` from what was measured."""

from dataclasses import asdict, dataclass, replace

from gaikan.language.words import Words
from gaikan.run_folder.latency_rows import Row, computation_of
from gaikan.system import machine
from gaikan.timing.agreement import Agreement
from gaikan.timing.measured import Measured
from gaikan.timing.options import TimingOptions
from gaikan.timing.prepared import Computation, Prepared
from gaikan.timing.roofline import Roofline
from gaikan.timing.runtimes import REFERENCE, Runtime, Setting
from gaikan.variants import Variant


@dataclass(frozen=True)
class LatencyTable:
    """All that a timing measured, and its rows."""

    options: TimingOptions
    prepared: Prepared
    measured: Measured
    scores: dict[tuple[Runtime, str], Agreement]
    rooflines: dict[tuple[str, int | None], Roofline]

    def rows(self, runtimes: list[Runtime], unavailable: dict[Runtime, Words | None]) -> list[Row]:
        """All variants in all runtimes; what was not measured, with the reason."""
        rows = []
        scored = [v for trained, _ in self.prepared.scored for v in trained.variants]
        for variant in dict.fromkeys(scored):
            name = computation_of(variant.arch, variant.anchor)
            computation = self.prepared.computations[name]
            for runtime in runtimes:
                reason = unavailable[runtime]
                if reason is not None:
                    nowhere = self._row(variant, Setting(runtime, None))
                    rows.append(replace(nowhere, skipped=reason))
                else:
                    settings = [runtime.setting(threads) for threads in self.options.all_threads]
                    for setting in dict.fromkeys(settings):
                        rows += self._timed(variant, computation, setting)
        return rows

    def _row(self, variant: Variant, setting: Setting) -> Row:
        """The columns of a row that are known before anything is timed."""
        return Row(
            machine=self.options.machine_name,
            processor=machine.processor(),
            cores=machine.cores(),
            variant=variant.name,
            computation=computation_of(variant.arch, variant.anchor),
            device=setting.runtime.device,
            threads=setting.threads,
            runtime=setting.runtime.name,
            precision=setting.runtime.precision,
            batch_size=None,
            includes_decode=self.options.include_decode,
            network=self.prepared.keys[variant.network],
        )

    def _timed(self, variant: Variant, computation: Computation, setting: Setting) -> list[Row]:
        row = self._row(variant, setting)
        score = self.scores.get((setting.runtime, variant.name))
        if score is not None:
            row = replace(row, **asdict(score))
        probed = self.prepared.probed(computation)
        # The reference runtime on as many threads; for a GPU, on the most threads.
        reference = REFERENCE.setting(setting.threads or self.options.all_threads[-1])
        rows = self.measured.rows(row, setting, computation.name, probed, reference)
        return [self._with_size(row, computation, setting) for row in rows]

    def _with_size(self, row: Row, computation: Computation, setting: Setting) -> Row:
        """`row` with how large the model is, unless it cannot run, and its share of the roofline.

        The share is by a GPU's own clock, which does not count the copies to it.
        """
        if row.batch_size is None:
            return row
        model_bytes = (computation.folder.folder / setting.runtime.file).stat().st_size
        milliseconds = row.device_p50_ms or row.p50_ms
        roofline = self.rooflines.get((row.precision, row.threads))
        share = None
        known = computation.operations
        if roofline is not None and milliseconds is not None and known is not None:
            operations = 1e6 * known * row.batch_size
            traffic = model_bytes + self.prepared.inputs.images[:1].nbytes * row.batch_size
            share = roofline.share(operations, traffic, milliseconds / 1e3)
        return replace(
            row,
            model_bytes=model_bytes,
            parameters=computation.parameters,
            mflops=computation.operations,
            roofline_share=share,
        )
