"""`gaikan time`: how long the networks of a run take, written to its folder."""

from dataclasses import dataclass
from pathlib import Path

from gaikan.report.latency_page import write_latency_page
from gaikan.run_folder.latency_facts import read_facts
from gaikan.run_folder.latency_files import own_rows, write_timing
from gaikan.run_folder.latency_rows import Row, write_rows
from gaikan.system.lock import locked
from gaikan.timing.options import TimingOptions
from gaikan.timing.samples import samples_table
from gaikan.timing.session import Report
from gaikan.timing.time_networks import time_run
from gaikan.timing.timed_run import TimedRun


@dataclass(frozen=True)
class Latency:
    """What the terminal shows after timing; `kept` where an earlier one still holds."""

    rows: list[Row]
    kept: bool


def time_networks(
    out: Path,
    options: TimingOptions,
    report: Report,
    csv: Path | None = None,
    again: bool = True,
    pictures: bool = True,
) -> Latency:
    """Times the run in `out` and writes `latency.*` there, or the table alone to `csv`.

    With `again` false, an earlier timing of the same networks, machine and options is kept.
    Raises ConfigError where `out` lacks what timing needs.
    """
    run = TimedRun.read(out)
    with locked(out):
        facts = read_facts(out)
        rows = own_rows(out) if csv is None else []  # a damaged table is reported before the timing
        if not again and facts is not None and facts.key == run.timing_key(options):
            return Latency(rows, kept=True)
        timing = time_run(run, options, report)
        if csv is not None:
            write_rows(csv, timing.rows)
        else:
            write_timing(out, timing.rows, timing.facts, samples_table(timing.samples))
            write_latency_page(out, pictures)
    return Latency(timing.rows, kept=False)
