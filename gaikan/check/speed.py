"""Latency as the ratio to the reference runtime within one run, never in absolute time."""

import math
from pathlib import Path

from gaikan.check.baseline import Baseline, Ratio
from gaikan.check.verdicts import Line
from gaikan.errors import ConfigError
from gaikan.evaluation.verdict_names import INCONCLUSIVE, MISSING, RAISE, SAME, WORSE
from gaikan.run_folder.latency_rows import Row, read_rows
from gaikan.timing.runtimes import is_reference

MARGIN = 0.1
_AT = " @ "


def ratios(folder: Path) -> dict[str, Ratio] | None:
    """How many times as fast as the reference each runtime is with single images.

    By computation, runtime, threads and processor; None where the run was not timed.
    """
    path = folder / "latency.csv"
    if not path.exists():
        return None
    return {
        _name(row): Ratio(ratio=row.speedup, low=row.speedup_low, high=row.speedup_high)
        for row in read_rows(path)
        if row.speedup is not None and row.batch_size == 1 and not row.includes_decode
        if not is_reference(row)
    }


def _name(row: Row) -> str:
    runtime = f"{row.runtime}-{row.precision} {row.device}"
    threads = f" {row.threads} thr" if row.threads else ""
    return f"{row.computation} {runtime}{threads}{_AT}{row.processor}"


def compare(folder: Path, baseline: Baseline) -> list[Line]:
    """A line for each ratio that both have on the same processor, or that only the baseline has.

    Another processor has other ratios. A ratio is WORSE when it is lower by more than a tenth and
    the 95 % intervals of the two do not meet; inconclusive when it is not WORSE but the intervals
    do not rule out such a loss. Raises ConfigError where either was not timed.
    """
    now = ratios(folder)
    if now is None:
        raise ConfigError(f"--latency: {folder} was not timed; run `gaikan time {folder}` first")
    if baseline.latency is None:
        raise ConfigError("--latency: the baseline's run was not timed; make it anew by --update")
    processors = {name.partition(_AT)[2] for name in now}
    return [
        _line(name, now.get(name), before)
        for name, before in baseline.latency.items()
        if name.partition(_AT)[2] in processors
    ]


def _line(name: str, now: Ratio | None, before: Ratio) -> Line:
    variant = name.partition(_AT)[0]
    if now is None:
        nan = math.nan
        return Line(variant, "speed", before.ratio, nan, nan, nan, MISSING, ratio=True)
    low, high = (math.nan if bound is None else bound for bound in (now.low, now.high))
    verdict = _verdict(now, before)
    bounds = low - before.ratio, high - before.ratio
    return Line(variant, "speed", before.ratio, now.ratio, *bounds, verdict, ratio=True)


def _verdict(now: Ratio, before: Ratio) -> str:
    low, high, least, most = now.low, now.high, before.low, before.high
    if low is None or high is None or least is None or most is None:
        return INCONCLUSIVE
    change = now.ratio / before.ratio - 1
    if (high < least or low > most) and abs(change) > MARGIN:
        return WORSE if change < 0 else RAISE
    return SAME if low / most >= 1 - MARGIN else INCONCLUSIVE
