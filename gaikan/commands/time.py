"""`gaikan time`: how fast a run's networks, or one bundle, are on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import Quick, Thorough, named_path, needs_harness, timing_plan
from gaikan.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.run_folder.latency_rows import Row
    from gaikan.timing.options import TimingOptions

KEPT_TIMING = (
    "Inference was timed before: same networks, machine and settings; `gaikan time` times it anew."
)


def time_(
    what: Annotated[Path, typer.Argument(metavar="RUN|BUNDLE", help="Run folder, or one bundle")],
    machine_name: Annotated[str | None, typer.Option(help="Default: the host's name")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=named_path,
            metavar="CSV",
            help="Write this CSV, not RUN/latency.* or BUNDLE.latency.csv",
        ),
    ] = None,
    quick: Quick = False,
    thorough: Thorough = False,
    threads: Annotated[list[int] | None, typer.Option(help="Default: 1 and all cores")] = None,
    runtime: Annotated[list[str] | None, typer.Option(help="Such as openvino-int8")] = None,
    include_decode: Annotated[bool, typer.Option(help="Time decoding the image file too")] = False,
) -> None:
    """Time a run's networks in every runtime, or a bundle (base install), on this machine."""
    from gaikan.timing.options import TimingOptions

    options = TimingOptions(
        plan=timing_plan(quick, thorough) or "default",
        runtimes=None if runtime is None else tuple(runtime),
        threads=None if threads is None else tuple(threads),
        include_decode=include_decode,
        machine=machine_name,
    )
    if what.is_file():
        time_bundle_file(what, options, out)
        return
    with needs_harness():
        from gaikan.flow.timing_run import time_networks
        from gaikan.report.pages import write_pages
    from gaikan.commands.progress import StepProgress
    from gaikan.commands.terminal import open_console

    console = open_console()
    with StepProgress(console, "timing") as steps:
        latency = time_networks(what, options, steps, csv=out)
    show_fastest(console, latency.rows, None if out else what / "latency.md")
    console.print(f"Table: {out or what / 'latency.csv'}")
    if out is None:
        console.print(f"Report: {write_pages(what)}", soft_wrap=True)


def show_fastest(console: "Console", rows: "list[Row]", details: Path | None = None) -> None:
    """Prints one table per machine, and how many settings were skipped: `details` says why."""
    from gaikan.commands.terminal import table
    from gaikan.report.latency_tables import fastest_rows, skipped_lines
    from gaikan.report.markdown_table import measured

    machines = list(dict.fromkeys(row.machine for row in rows))
    for name in machines:
        own = [row for row in rows if row.machine == name]
        title = name if len(machines) > 1 else None
        console.print(table(*measured(*fastest_rows(own, narrow=True)), title=title))
    unreliable = sum(row.is_unreliable for row in rows)
    if unreliable:
        told = (
            f"{unreliable} of {len(rows)} rows were disturbed by other work in half of their rounds"
        )
        console.print(f"{told}: column `disturbed` of latency.csv", style="yellow")
    skipped = skipped_lines(rows)
    if details is not None and skipped:
        console.print(f"{len(skipped)} settings were not timed; why: {details}", style="dim")
        return
    for reason in skipped:
        console.print(f"skipped {reason.en}", style="dim")


def time_bundle_file(path: Path, options: "TimingOptions", out: Path | None) -> None:
    """`gaikan time BUNDLE`: writes the rows that `gaikan report RUN --latency` merges."""
    if options.runtimes is not None or options.include_decode:
        raise ConfigError(
            f"{path}: a bundle is timed in its own runtime and without decoding; leave out "
            "--runtime and --include-decode"
        )
    from gaikan.bundle.bundle import Bundle
    from gaikan.commands.progress import StepProgress
    from gaikan.commands.terminal import open_console, table
    from gaikan.run_folder.latency_rows import write_rows
    from gaikan.timing.time_bundle import time_bundle

    bundle = Bundle.open(path)
    console = open_console(soft_wrap=True)
    with StepProgress(console, "timing") as steps:
        rows = time_bundle(bundle, options, steps)
    out = out or path.with_name(f"{path.stem}.latency.csv")
    write_rows(out, rows)
    card = bundle.card
    console.print(f"{card.variant}, {card.runtime} {card.precision}, on {rows[0].processor}:")
    header = ["threads", "batch", "p50 ms", "p99 ms", "images/s", "peak MB"]
    cells = []
    for row in rows:
        figures = row.p50_ms, row.p99_ms, row.images_per_s, row.peak_rss_mb
        own = [f"{value:.4g}" if value else "" for value in figures]
        batch = str(row.batch_size) if row.skipped is None else row.skipped.en
        cells.append([str(row.threads), batch, *own])
    console.print(table(header, cells))
    console.print(f"{out}: to be merged by `gaikan report RUN --latency {out.name}`")
