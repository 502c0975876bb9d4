"""The command line. Nothing heavy is imported before a command needs it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gaikan.commands import check, import_weights, line, pick
from gaikan.errors import ConfigError, GaikanError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare small vision models for industrial inspection: which one at which stage.",
)
_state = {"debug": False, "resumes": False}
_INTERRUPTED = 130  # what a shell gives for SIGINT; Typer ends with it on Ctrl-C

_SOURCE = "terminals, FILE.parquet, FILE.csv, FOLDER or hub:owner/name, then @revision, :split"
Shape = Annotated[
    str | None,
    typer.Option(help="Image size of a frame table, or to resize a folder to: HEIGHTxWIDTH"),
]


Quick = Annotated[bool, typer.Option("--quick", help="Time roughly: all cores, 2 batch sizes")]
Thorough = Annotated[bool, typer.Option("--thorough", help="Time 10 s a case, score all seeds")]


@app.callback()
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
) -> None:
    _state.update(debug=debug, resumes=context.invoked_subcommand == "bench")


@app.command()
def bench(
    configs: Annotated[
        list[Path] | None, typer.Argument(help="TOML; none: full grid, terminals")
    ] = None,
    train: Annotated[str | None, typer.Option(help=f"Source: {_SOURCE}")] = None,
    test: Annotated[str | None, typer.Option(help="Source of the test part")] = None,
    ok: Annotated[str | None, typer.Option(help="Class or failure mode that means good")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many seeds")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the cnn; the mlp trains 3.5 times as many")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=line.named_path,
            metavar="DIR",
            help="Run folder, or of several; default results/NAME",
        ),
    ] = None,
    shape: Shape = None,
    references: Annotated[
        str | None, typer.Option(help="Classical classifiers beside the grid: all or none")
    ] = None,
    quick: Quick = False,
    thorough: Thorough = False,
    timing: Annotated[bool | None, typer.Option(help="Time inference at the end")] = None,
    executor: Annotated[
        str | None, typer.Option(help="Train on a Dask cluster: dask://HOST:PORT; default: local")
    ] = None,
    worker_resources: Annotated[
        str | None, typer.Option(help="Only on Dask workers that have them, such as GPU=1")
    ] = None,
) -> None:
    """Train, score and time the grid; go on where an interrupted run stopped.

    Several data sets (several files, or several data tables in one) are a run each, and a summary.
    """
    asked = {
        "data.train": train,
        "data.test": test,
        "data.ok": ok,
        "data.shape": shape,
        "seeds": seeds,
        "train.epochs": epochs,
        "device": device,
        "references": references,
        "timing.plan": _plan(quick, thorough),
        "timing.enabled": timing,
        "executor": executor,
        "worker_resources": worker_resources,
    }
    with line.needs_harness():
        from gaikan.commands.several import bench_all
        from gaikan.config.plan import RESULTS, load_plan
    from rich.console import Console

    plan = load_plan(
        configs or [], {key: value for key, value in asked.items() if value is not None}
    )
    console = Console(highlight=False)

    def bench_one(settings: Any, folder: Path) -> bool:
        return _bench_one(console, settings, folder)

    if len(plan.runs) > 1:
        good = bench_all(plan, out, bench_one, console)
    else:
        (only,) = plan.runs
        good = bench_one(only.config, out or RESULTS / only.name)
    raise typer.Exit(0 if good else 1)


def _bench_one(console: Any, settings: Any, out: Path) -> bool:
    """Trains, times and picks; whether every cell ended well."""
    from gaikan.commands.terminal import GridProgress, StepProgress, show_cautions, table
    from gaikan.flow import bench_run
    from gaikan.flow.timing_run import time_networks
    from gaikan.report.accuracy_table import accuracy_rows
    from gaikan.report.pages import write_pages
    from gaikan.report.trust_words import rate_rows
    from gaikan.timing.options import TimingOptions

    with GridProgress(console) as progress:
        outcome = bench_run.bench(settings, out, progress)
    if outcome.kept:
        console.print("Nothing has changed since the last run here: its figures stand.")
    console.print(table(*accuracy_rows(outcome.summary)))
    console.print(outcome.about, style="dim")
    if outcome.rates is not None:
        console.print(table(*rate_rows(outcome.rates)))
    show_cautions(console, outcome.out)
    for failure in outcome.failed:
        console.print(f"[bold red]failed[/] {failure['cell']}: {failure['reason']}")
    if settings.timing.enabled:
        with StepProgress(console, "timing") as steps:
            asked_for = settings.timing
            options = TimingOptions.of(asked_for.plan, asked_for.runtimes, asked_for.threads)
            latency = time_networks(outcome.out, options, steps, again=False)
        _show_latency(console, latency)
        pick.at_the_end(console, outcome.out)
    else:
        console.print("Not timed, so nothing is picked: `gaikan time`, then `gaikan pick`.")
    console.print(f"Report: {write_pages(outcome.out)}", soft_wrap=True)
    return not outcome.failed


@app.command("time")
def time_(
    what: Annotated[Path, typer.Argument(metavar="RUN|BUNDLE", help="Run folder, or one bundle")],
    machine_name: Annotated[str | None, typer.Option(help="Default: the host's name")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=line.named_path,
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
        plan=_plan(quick, thorough) or "default",
        runtimes=None if runtime is None else tuple(runtime),
        threads=None if threads is None else tuple(threads),
        include_decode=include_decode,
        machine=machine_name,
    )
    if what.is_file():
        line.time_bundle(what, options, out)
        return
    with line.needs_harness():
        from gaikan.flow.timing_run import time_networks
        from gaikan.report.pages import write_pages
    from rich.console import Console

    from gaikan.commands.terminal import StepProgress

    console = Console(highlight=False)
    with StepProgress(console, "timing") as steps:
        latency = time_networks(what, options, steps, csv=out)
    _show_latency(console, latency)
    console.print(f"Table: {out or what / 'latency.csv'}")
    if out is None:
        console.print(f"Report: {write_pages(what)}", soft_wrap=True)


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of `gaikan bench`")],
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
    lang: Annotated[str, typer.Option(help="Shown first: en or ja")] = "en",
    latency: Annotated[
        list[Path] | None, typer.Option(help="A table of `gaikan time`, to be merged")
    ] = None,
) -> None:
    """Write report.html and report.md of a run anew, from its other files."""
    import webbrowser

    with line.needs_harness():
        from gaikan.report.latency_page import write_latency_page
        from gaikan.report.pages import write_pages
        from gaikan.run_folder.latency_files import merge_into
    from rich.console import Console

    console = Console(highlight=False)
    if latency:
        rows = merge_into(run_folder, latency)
        write_latency_page(run_folder)
        _show_fastest(console, rows)
    page = write_pages(run_folder, lang)
    console.print(f"Report: {page}", soft_wrap=True)
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        raise GaikanError(f"--open: no browser was found; open {page} in one")


def _plan(quick: bool, thorough: bool) -> str | None:
    if quick and thorough:
        raise ConfigError("--quick and --thorough: choose one")
    return "quick" if quick else "thorough" if thorough else None


def _show_latency(console: Any, latency: Any) -> None:
    if latency.kept:
        console.print("Inference was timed before: same networks, machine and settings", end="")
        console.print("; `gaikan time` times it anew.")
    _show_fastest(console, latency.rows)


def _show_fastest(console: Any, rows: Any) -> None:
    from rich.markup import escape

    from gaikan.commands.terminal import table
    from gaikan.report.latency_tables import fastest_rows, skipped_lines

    machines = list(dict.fromkeys(row.machine for row in rows))
    for name in machines:
        own = [row for row in rows if row.machine == name]
        title = escape(name) if len(machines) > 1 else None
        console.print(table(*fastest_rows(own, narrow=True), title=title))
    for reason in skipped_lines(rows):
        console.print(f"skipped {reason}", style="dim")


@app.command()
def data(source: Annotated[str, typer.Argument(help=_SOURCE)], shape: Shape = None) -> None:
    """Describe a source: classes, counts, size, problems."""
    with line.needs_harness():  # not all of it: what trains takes seconds to import
        from gaikan.config.model import DataConfig, validated
        from gaikan.data.sources import read_source
        from gaikan.evaluation.source_facts import counts, facts
    from rich.console import Console

    from gaikan.commands.terminal import table

    size = validated(DataConfig, {"shape": shape}, "--shape").size
    frames = read_source(source, "train", size)
    console = Console(highlight=False)
    console.print(table(["", ""], [list(fact) for fact in facts(frames)]))
    console.print(table(*counts(frames)))


import_weights.register(app)
line.register(app)
pick.register(app)
check.register(app)


def main() -> None:
    """The entry point: an error of the user's is one line on stderr, and exit code 2.

    So is one of the system's: a full disk can show anywhere.
    """
    try:
        app()
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            later = "; the same command goes on where it stopped" if _state["resumes"] else ""
            _say(f"interrupted{later}")
        raise
    except GaikanError as error:
        if _state["debug"]:
            raise
        _say(str(error))
        sys.exit(2)
    except OSError as error:
        if _state["debug"] or error.strerror is None:
            raise
        _say(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
        sys.exit(2)


def _say(line: str) -> None:
    print(f"gaikan: {line}", file=sys.stderr)  # noqa: T201
