"""`gaikan time`: times and scores the networks of a run folder in every runtime."""

import resource
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from gaikan.run_folder.latency_facts import PlanFacts, RooflineFacts, SpeedCheck, TimingFacts
from gaikan.run_folder.latency_rows import Row
from gaikan.seeds import stream
from gaikan.system import machine
from gaikan.timing.agreement import agreements
from gaikan.timing.footprint import batch_memory
from gaikan.timing.latency_table import LatencyTable
from gaikan.timing.measure import PLANS, Turn, speedup
from gaikan.timing.measured import Measured
from gaikan.timing.options import TimingOptions
from gaikan.timing.prepared import Prepared
from gaikan.timing.roofline import Roofline
from gaikan.timing.runtime_process import Case, Server
from gaikan.timing.runtimes import ModelFolder, Setting, chosen
from gaikan.timing.session import Report, Session, session
from gaikan.timing.timed_run import TimedRun
from gaikan.timing.torch_model import GEMM_SIZE


@dataclass(frozen=True)
class Timing:
    """What a timing gives: `latency.csv`, `latency.json`, `latency_samples.parquet`."""

    rows: list[Row]
    facts: TimingFacts
    samples: list[tuple[Setting, Case, list[Turn]]]


def time_run(run: TimedRun, options: TimingOptions, report: Report) -> Timing:
    """Times and scores. Raises ConfigError before anything is measured."""
    started, cpu = time.perf_counter(), _processor_seconds()
    plan, all_threads = PLANS[options.plan], options.all_threads
    everything = chosen(options.runtimes)
    unavailable = {runtime: runtime.unavailable() for runtime in everything}
    runtimes = [runtime for runtime in everything if unavailable[runtime] is None]
    settings = [s for r in runtimes for s in dict.fromkeys(r.setting(n) for n in all_threads)]
    with tempfile.TemporaryDirectory(prefix="gaikan-timing-") as name:
        prepared = Prepared.prepare(run, options, Path(name), report)
        most, parts = all_threads[-1], prepared.parts
        with session(settings, parts, report) as open_session:
            if options.plan != "quick":
                open_session.probe(prepared.alone, most, plan)
            fullest = [s for s in settings if s.threads in (None, most)]
            scores = agreements(open_session, fullest, prepared)
            rooflines = _rooflines(open_session, prepared.gemm)
            open_session.load(prepared.models)
            cases = prepared.cases(settings, plan, most)
            open_session.measure(cases, plan, stream(0, "timing order"))
            measured = open_session.measured
        rows = LatencyTable(options, prepared, measured, scores, rooflines).rows(
            everything, unavailable
        )
    took = time.perf_counter() - started, _processor_seconds() - cpu
    facts = _facts(run, options, prepared, measured, rooflines, took)
    samples = [(setting, case, turns) for (setting, case), turns in measured.turns.items()]
    return Timing(rows, facts, samples)


def _facts(
    run: TimedRun,
    options: TimingOptions,
    prepared: Prepared,
    measured: Measured,
    rooflines: dict[tuple[str, int | None], Roofline],
    took: tuple[float, float],
) -> TimingFacts:
    """`latency.json`; what was measured `took` seconds of the clock and of processors."""
    seconds, processor_seconds = took
    return TimingFacts(
        key=run.timing_key(options),
        networks=tuple(network.store.trained for network in run.networks),
        machine=options.machine_name,
        processor=machine.processor(),
        cores=machine.cores(),
        threads=tuple(options.all_threads),
        plan=PlanFacts(name=options.plan, **asdict(PLANS[options.plan])),
        includes_decode=options.include_decode,
        scored_seeds=tuple(sorted({trained.seed for trained, _ in prepared.scored})),
        scored_images=len(prepared.inputs.images),
        once_per_computation=_same_speed(prepared, measured),
        ran=_ran(measured),
        batch_memory=batch_memory(),
        roofline=tuple(
            RooflineFacts(
                precision=precision,
                threads=threads,
                gemm_gflops=roof.gemm / 1e9,
                library=roof.library,
                bandwidth_gb_per_s={size: speed / 1e9 for size, speed in roof.bandwidth.items()},
            )
            for (precision, threads), roof in rooflines.items()
        ),
        seconds=seconds,
        processor_seconds=processor_seconds,
    )


def _ran(measured: Measured) -> float | None:
    """Share of its time that a single thread really ran; other work had the processor meanwhile."""
    cases = measured.turns.items()
    alone = [turn for (setting, _), turns in cases if setting.threads == 1 for turn in turns]
    if not alone:
        return None
    return sum(turn.cpu for turn in alone) / sum(float(turn.seconds.sum()) for turn in alone)


def _processor_seconds() -> float:
    spent = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(s.ru_utime + s.ru_stime for s in spent)


def _rooflines(session: Session, gemm: ModelFolder) -> dict[tuple[str, int | None], Roofline]:
    """By precision and threads: the best library's products, and the memory's speed."""
    bandwidths: dict[int | None, dict[int, float]] = {}
    best: dict[tuple[str, int | None], tuple[float, str]] = {}
    for setting in session.workers:
        if setting.runtime.file in gemm.missing:
            continue
        if setting.threads not in bandwidths:
            speeds = session.ask(setting, "bandwidth", Server.bandwidth)
            bandwidths[setting.threads] = speeds or {}
        rate = session.ask(setting, "gemm", Server.gemm, str(gemm.folder), GEMM_SIZE)
        key = (setting.runtime.precision, setting.threads)
        if rate is not None and rate > best.get(key, (0.0, ""))[0]:
            best[key] = (rate, setting.runtime.name)
    return {
        (precision, threads): Roofline(rate, library, bandwidths[threads])
        for (precision, threads), (rate, library) in best.items()
        if bandwidths.get(threads)
    }


def _same_speed(prepared: Prepared, measured: Measured) -> tuple[SpeedCheck, ...]:
    """How fast another network of the same computation is, as a ratio; 1 is as claimed."""
    checks = []
    for (setting, case), turns in measured.turns.items():
        if case.model in prepared.others:
            own = measured.in_every_round(
                setting, Case(prepared.others[case.model], case.batch_size)
            )
            if own is not None:
                checks.append(
                    SpeedCheck(
                        model=case.model,
                        runtime=setting.runtime.label,
                        threads=setting.threads,
                        **asdict(speedup(turns, own)),
                    )
                )
    return tuple(checks)
