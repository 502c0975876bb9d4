"""Tables of latency: rows of text from the rows of `latency.csv`."""

from collections.abc import Iterable

from gaikan.language.words import Words, joined, placed, plain, say
from gaikan.report.markdown_table import Rows, percent
from gaikan.run_folder.latency_rows import Row, runtime_of
from gaikan.selection.constraint_words import digits


def _named(row: Row) -> str:
    return runtime_of(row) + (" + decode" if row.includes_decode else "")


def fastest_of(rows: list[Row]) -> dict[tuple[str, str], Row]:
    """By (machine, variant), the row with the least p50 for single images."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row.machine, row.variant)
        if row.batch_size == 1 and row.p50_ms is not None:
            fastest = best.get(key)
            if fastest is None or row.p50_ms < (fastest.p50_ms or 0):
                best[key] = row
    return best


def fastest_rows(rows: list[Row], narrow: bool = False) -> tuple[list[str], Rows]:
    """One line per variant: its fastest runtime for single images on one machine, fastest first.

    `narrow` leaves threads out: it fits 80 columns where no runtime is on a GPU.
    """
    header = ["variant", "fastest runtime", *([] if narrow else ["thr"])]
    header += ["p50 ms", "p99", "img/s", "acc.", "torch"]
    lines = []
    for row in sorted(fastest_of(rows).values(), key=lambda row: row.p50_ms or 0):
        most = max(r.images_per_s or 0 for r in rows if _setting(r) == _setting(row))
        setting = [runtime_of(row)] if narrow else [_named(row), str(row.threads or "")]
        line = [row.variant, *setting]
        line += map(digits, (row.p50_ms, row.p99_ms, most))
        lines.append([*line, percent(row.accuracy), percent(row.reference_accuracy)])
    return header, lines


def _setting(row: Row) -> tuple[object, ...]:
    return row.machine, row.variant, row.threads, row.includes_decode, runtime_of(row)


def single_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """Keys of the columns, and rows: one image at a time, by computation, runtime and threads."""
    columns = ["computation", "runtime", "threads", "p50", "interval", "p90", "p99", "max"]
    columns += ["speedup", "device_ms", "disturbed"]
    lines = []
    for row in _once(row for row in rows if row.batch_size == 1):
        interval = [digits(row.p50_low_ms), digits(row.p50_high_ms)]
        lines.append(
            [row.computation, _named(row), str(row.threads or "")]
            + [digits(row.p50_ms), "-".join(interval) if interval[0] else ""]
            + [digits(value) for value in (row.p90_ms, row.p99_ms, row.max_ms)]
            + [digits(row.speedup), digits(row.device_p50_ms), disturbed(row)]
        )
    return columns, lines


def batch_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """Keys of the columns, and rows: the best batch size, and what a process needs."""
    columns = ["computation", "runtime", "threads", "images_per_s", "batch", "speedup", "cpu"]
    columns += ["roofline", "load", "first", "peak", "file", "disturbed"]
    lines = []
    for row in _once(row for row in rows if row.best_batch):
        megabytes = None if row.model_bytes is None else row.model_bytes / 1e6
        needs = (row.load_ms, row.cold_start_ms, row.peak_rss_mb, megabytes)
        line = [row.computation, _named(row), str(row.threads or "")]
        line += [digits(row.images_per_s), str(row.batch_size), digits(row.speedup)]
        line += [digits(row.cpu_s_per_1000), percent(row.roofline_share), *map(digits, needs)]
        line.append(disturbed(row))
        lines.append(line)
    return columns, lines


def disturbed(row: Row) -> str:
    """In how many of the rounds other work had the processor too; nothing where in none."""
    return percent(row.disturbed) if row.disturbed else ""


def _once(rows: Iterable[Row]) -> list[Row]:
    """The first row of each computation and setting: variants that share it have the same times."""
    first: dict[object, Row] = {}
    for row in rows:
        first.setdefault((row.computation, runtime_of(row), row.threads, row.includes_decode), row)
    return list(first.values())


def agreement_rows(rows: list[Row]) -> tuple[list[str], list[list[str | Words]]]:
    """Keys of the columns, and rows: how each runtime's test predictions compare, by variant.

    Without bundles that were timed alone: they have no test part to predict.
    """
    columns = ["variant", "runtime", "runtime_accuracy", "torch_accuracy", "agreement", "error"]
    by_runtime: dict[tuple[str, str], list[str | Words]] = {}
    for row in rows:
        if row.agreement is not None and row.reference_accuracy is not None:
            error = row.max_distance_error
            figures = [row.accuracy, row.reference_accuracy, row.agreement]
            by_runtime[row.variant, runtime_of(row)] = [
                *map(percent, figures),
                say("not_finite") if error is None else f"{error:.2g}",
            ]
    return columns, [[*names, *figures] for names, figures in by_runtime.items()]


def skipped_lines(rows: list[Row]) -> list[Words]:
    """What was skipped, and why, each only once."""
    lines: dict[str, Words] = {}
    for row in rows:
        if row.skipped is not None:
            setting = placed(runtime_of(row), row.threads)
            if row.batch_size:
                setting = joined([setting, plain(row.computation)], say("comma"))
            line = say("skipped_because", setting=setting, reason=row.skipped)
            lines.setdefault(line.en, line)
    return list(lines.values())


def compilation(rows: list[Row]) -> dict[str, float]:
    """By computation, the seconds of a first query that compiles the model."""
    return {
        row.computation: row.cold_start_ms / 1e3
        for row in rows
        if row.runtime == "torch.compile" and row.cold_start_ms is not None
    }
