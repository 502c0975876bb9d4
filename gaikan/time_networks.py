"""`gaikan time`: how long the networks of a run take, written to its folder."""

from dataclasses import dataclass
from pathlib import Path

from gaikan.lock import locked
from gaikan.report import latency
from gaikan.timing.options import Options
from gaikan.timing.rows import Row
from gaikan.timing.run_folder import Run
from gaikan.timing.session import Report
from gaikan.timing.time_run import time_run


@dataclass(frozen=True)
class Latency:
    """What the terminal shows after timing; `kept` where an earlier one still holds."""

    rows: list[Row]
    kept: bool


def time_networks(
    out: Path, options: Options, report: Report, csv: Path | None = None, again: bool = True
) -> Latency:
    """Times the run in `out` and writes `latency.*` there, or the table alone to `csv`.

    With `again` false, an earlier timing of the same networks, machine and options is kept.
    Raises ConfigError where `out` lacks what timing needs.
    """
    run = Run.read(out)
    with locked(out):
        facts = latency.read_facts(out)
        rows = latency.own_rows(out) if csv is None else []  # damaged: told before, not after
        if not again and facts is not None and facts.get("key") == run.timing_key(options):
            return Latency(rows, kept=True)
        timing = time_run(run, options, report)
        latency.write_timing(out, timing, csv)
    return Latency(timing.rows, kept=False)
