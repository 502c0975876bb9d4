"""Latency for people: tables from the rows of `latency.csv`."""

from collections.abc import Iterable
from typing import Any

from gaikan.report.tables import Rows, markdown, percent
from gaikan.timing.rows import Row

BOUNDARY = (
    "Timed: from raw images in memory to class names and distances in memory, that is "
    "normalisation, network, distances to all anchors (or the head's probabilities), the nearest "
    "one and its name."
)


def digits(value: float | None, figures: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten; nothing for None."""
    if value is None:
        return ""
    decimals = max(0, figures - 1 - _magnitude(value))
    return f"{value:.{decimals}f}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def runtime_of(row: Row) -> str:
    """Runtime and precision, as `--runtime` takes it."""
    return f"{row.runtime}-{row.precision}" + ("-cuda" if row.device == "cuda" else "")


def threads_in_words(threads: int | None) -> str:
    """As text and figures name a setting."""
    return "GPU" if threads is None else f"{threads} thread{'s' * (threads > 1)}"


def _named(row: Row) -> str:
    return runtime_of(row) + (" + decode" if row.includes_decode else "")


def fastest_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """One line a variant and machine: its fastest runtime for single images, fastest first."""
    header = ["variant", "fastest runtime", "thr", "p50 ms", "p99", "img/s", "acc.", "torch"]
    several = len({row.machine for row in rows}) > 1
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        place = (row.machine, row.variant)
        if row.batch_size == 1 and row.p50_ms is not None:
            held = best.get(place)
            if held is None or row.p50_ms < (held.p50_ms or 0):
                best[place] = row
    lines = []
    for row in sorted(best.values(), key=lambda row: row.p50_ms or 0):
        most = max(r.images_per_s or 0 for r in rows if _same_place(r, row))
        line = [row.variant, _named(row), str(row.threads or ""), digits(row.p50_ms)]
        line += [digits(row.p99_ms), digits(most)]
        line += [percent(row.accuracy), percent(row.reference_accuracy)]
        lines.append([row.machine, *line] if several else line)
    return (["machine", *header] if several else header), lines


def _same_place(row: Row, other: Row) -> bool:
    return (
        (row.machine, row.variant, row.threads, row.includes_decode)
        == (other.machine, other.variant, other.threads, other.includes_decode)
    ) and runtime_of(row) == runtime_of(other)


def single_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """One image at a time, by computation, runtime and threads."""
    header = ["computation", "runtime", "threads", "p50 ms", "95 %", "p90", "p99", "max"]
    header += ["x torch", "device ms"]
    lines = []
    for row in _once(row for row in rows if row.batch_size == 1):
        interval = [digits(row.p50_low_ms), digits(row.p50_high_ms)]
        lines.append(
            [row.computation, _named(row), str(row.threads or "")]
            + [digits(row.p50_ms), "-".join(interval) if interval[0] else ""]
            + [digits(value) for value in (row.p90_ms, row.p99_ms, row.max_ms)]
            + [digits(row.speedup), digits(row.device_p50_ms)]
        )
    return header, lines


def batch_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """The best batch size, and what a process needs, by computation, runtime and threads."""
    header = ["computation", "runtime", "threads", "images/s", "best batch", "x torch"]
    header += ["CPU s/1000", "roofline %", "load ms", "first ms", "peak MB", "file MB"]
    lines = []
    for row in _once(row for row in rows if row.best_batch):
        megabytes = None if row.model_bytes is None else row.model_bytes / 1e6
        needs = (row.load_ms, row.cold_start_ms, row.peak_rss_mb, megabytes)
        line = [row.computation, _named(row), str(row.threads or "")]
        line += [digits(row.images_per_s), str(row.batch_size), digits(row.speedup)]
        line += [digits(row.cpu_s_per_1000), percent(row.roofline_share), *map(digits, needs)]
        lines.append(line)
    return header, lines


def _once(rows: Iterable[Row]) -> list[Row]:
    """The first row of each computation and place: the variants that share it have the same."""
    first: dict[Any, Row] = {}
    for row in rows:
        first.setdefault((row.computation, runtime_of(row), row.threads, row.includes_decode), row)
    return list(first.values())


def agreement_rows(rows: list[Row]) -> tuple[list[str], Rows]:
    """What each runtime makes of the test part, by variant."""
    header = ["variant", "runtime", "accuracy", "torch", "same class %", "largest distance error"]
    seen: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.agreement is not None:
            error = row.max_distance_error
            figures = [row.accuracy, row.reference_accuracy, row.agreement]
            seen[row.variant, runtime_of(row)] = [
                *map(percent, figures),
                "not finite" if error is None else f"{error:.2g}",
            ]
    return header, [[*place, *figures] for place, figures in seen.items()]


def skipped_lines(rows: list[Row]) -> list[str]:
    """`runtime: reason`, each once."""
    reasons: dict[str, None] = {}
    for row in rows:
        if row.skipped is not None:
            at = f", {threads_in_words(row.threads)}" if row.threads else ""
            reasons[f"{runtime_of(row)}{at}: {row.skipped}"] = None
    return list(reasons)


def page(rows: list[Row], facts: dict[str, Any] | None) -> str:
    """`latency.md`."""
    decode = any(row.includes_decode for row in rows)
    parts = [f"{BOUNDARY}{' Decoding the image file is inside as well.' if decode else ''}"]
    for name in dict.fromkeys(row.machine for row in rows):
        own = [row for row in rows if row.machine == name]
        first = own[0]
        parts.append(f"### {name}: {first.processor}, {first.cores} cores")
        timed = [row for row in own if row.p50_ms is not None]
        if timed:
            parts += ["The fastest runtime of each variant:", markdown(*fastest_rows(own))]
            parts += ["One image at a time:", markdown(*single_rows(timed))]
            parts += ["In batches:", markdown(*batch_rows(timed)), *_compilation(timed)]
        skipped = skipped_lines(own)
        if skipped:
            parts.append("Skipped:\n\n" + "\n".join(f"- {line}" for line in skipped))
        if facts is not None and facts["machine"] == name:
            parts.append(_explained(facts))
        header, lines = agreement_rows(own)
        if lines:
            parts += ["Each runtime's own predictions on the test part:", markdown(header, lines)]
    return "\n\n".join(parts) + "\n"


def _compilation(rows: list[Row]) -> list[str]:
    """How long the first query took where it compiles the model, if that was measured."""
    took = {
        row.computation: f"{row.cold_start_ms / 1e3:.1f} s ({row.computation})"
        for row in rows
        if row.runtime == "torch.compile" and row.cold_start_ms is not None
    }
    return (
        [f"torch.compile compiled in its first query: {', '.join(took.values())}."] if took else []
    )


def _explained(facts: dict[str, Any]) -> str:
    plan = facts["plan"]
    single, offline = plan["single"], plan["offline"]
    text = [
        f"Single images: at least {single['seconds']:g} s and {single['queries']} queries a case; "
        f"batches: {offline['seconds']:g} s and {offline['queries']} queries; both in "
        f"{plan['rounds']} rounds over all cases in random order, each runtime and number of "
        "threads in a process of its own, one working at a time. p50: median over rounds, with "
        "its 95 % interval (from 6 rounds on). p90 needs 64 queries, p99 662. `x torch`: p50 "
        "against torch-fp32 on as many threads, pair by pair within rounds. `roofline`: the "
        "least time that the operations and the bytes of model and images need at the rates "
        "below, by the time taken. `load`, `first` (query) and `peak` memory at that batch size: "
        f"of a process that only predicts, on {facts['threads'][-1]} threads.",
        f"Accuracy in each runtime: networks of seed "
        f"{', '.join(map(str, facts['scored_seeds']))}, all {facts['scored_images']} test images.",
    ]
    if plan["head_batches"]:
        sizes = " and ".join(map(str, plan["head_batches"]))
        text.append(f"Softmax heads, a reference only, are timed at batch sizes {sizes}.")
    checks = facts["once_per_computation"]
    if checks:
        ratios = [check["value"] for check in checks]
        text.append(
            "Each computation is timed once, for all variants that share it. Checked on "
            f"{len(checks)} pairs of networks of the same architecture, single images: the other "
            f"network was {min(ratios):.2f} to {max(ratios):.2f} times as fast."
        )
    for roof in facts["roofline"]:
        speeds = list(roof["bandwidth_gb_per_s"].items())
        text.append(
            f"Roofline, {roof['precision']}, {threads_in_words(roof['threads'])}: "
            f"{roof['gemm_gflops']:.0f} GFLOP/s ({roof['library']}); "
            + ", ".join(f"{speed:.0f} GB/s on {int(size) / 2**20:g} MiB" for size, speed in speeds)
            + "."
        )
    text.append(
        f"The timing took {facts['seconds']:.0f} s, "
        f"{facts['processor_seconds']:.0f} s of processor time."
    )
    return "\n\n".join(text)
