"""`gaikan bench`: trains, times and picks, on one data set or on several."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands import shared
from gaikan.commands.time import KEPT_TIMING
from gaikan.errors import GaikanError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.config.model import Config


def bench(
    configs: Annotated[
        list[Path] | None, typer.Argument(help="TOML; none: full grid, terminals")
    ] = None,
    train: Annotated[str | None, typer.Option(help=f"Source: {shared.SOURCE}")] = None,
    test: Annotated[str | None, typer.Option(help="Source of the test part")] = None,
    ok: Annotated[str | None, typer.Option(help="Class or failure mode that means good")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many seeds")] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Of cnn and resnet; the mlp trains 3.5 times as many"),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=shared.named_path,
            metavar="DIR",
            help="Run folder, or of several; default results/NAME",
        ),
    ] = None,
    replace: shared.Replace = False,
    shape: shared.Shape = None,
    image_column: shared.ImageColumn = None,
    label_column: shared.LabelColumn = None,
    references: Annotated[
        str | None, typer.Option(help="Classical classifiers beside the grid: all or none")
    ] = None,
    unseen: Annotated[
        bool | None,
        typer.Option(help="Train once more without each failure mode: would it be called good?"),
    ] = None,
    quick: shared.Quick = False,
    thorough: shared.Thorough = False,
    timing: Annotated[bool | None, typer.Option(help="Time inference at the end")] = None,
    pictures: Annotated[bool | None, typer.Option(help="Draw figures and pages too")] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Train on fewer images too: are more worth it?")
    ] = False,
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
        "data.image_column": image_column,
        "data.label_column": label_column,
        "seeds": seeds,
        "train.epochs": epochs,
        "device": device,
        "references": references,
        "unseen": unseen,
        "timing.plan": shared.timing_plan(quick, thorough),
        "timing.enabled": timing,
        "pictures": pictures,
        "executor": executor,
        "worker_resources": worker_resources,
    }
    with shared.needs_harness():
        from gaikan.commands.several import bench_all
        from gaikan.config.plan import RESULTS, load_plan
    from gaikan.commands.terminal import open_console

    plan = load_plan(
        configs or [], {key: value for key, value in asked.items() if value is not None}
    )
    console = open_console()
    bench_one = partial(_bench_one, console, replace, learning_curve)
    if len(plan.runs) > 1:
        good = bench_all(plan, out, bench_one, console, replace)
    else:
        (only,) = plan.runs
        good = bench_one(only.config, out or _own_folder(configs) or RESULTS / only.name)
    raise typer.Exit(0 if good else 1)


def _own_folder(configs: list[Path] | None) -> Path | None:
    """The run folder whose own run.toml is asked for, which goes on there."""
    from gaikan.run_folder.file_names import AGAIN
    from gaikan.run_folder.sources_file import holds_run

    (config,) = configs or [Path()]
    return config.parent if config.name == AGAIN and holds_run(config.parent) else None


def _bench_one(
    console: "Console", replace: bool, curve: bool, settings: "Config", out: Path
) -> bool:
    """Trains, times and picks; returns whether every cell ended well."""
    from gaikan.commands.closing import show_closing
    from gaikan.commands.progress import GridProgress, StepProgress
    from gaikan.flow import bench_run
    from gaikan.flow.timing_run import time_networks
    from gaikan.report.pages import write_pages
    from gaikan.timing.options import TimingOptions

    with GridProgress(console) as progress:
        outcome = bench_run.bench(settings, out, progress, replace_run=replace)
    if outcome.kept:
        console.print("Nothing has changed since the last run here: its figures stand.")
    unpicked = "Not timed, so nothing is picked: `gaikan time`, then `gaikan pick`."
    if settings.timing.enabled:
        asked = settings.timing
        options = TimingOptions.of(asked.plan, asked.runtimes, asked.threads)
        with StepProgress(console, "timing") as steps:
            latency = time_networks(out, options, steps, again=False, pictures=settings.pictures)
        if latency.kept:
            console.print(KEPT_TIMING)
        unpicked = pick_after_bench(out)
    show_closing(console, out)
    if unpicked:
        console.print(unpicked, style="yellow")
    curve_failed = curve and _learn_curve(console, settings, out)
    if settings.pictures:
        console.print(f"Report: {write_pages(out)}", soft_wrap=True)
    return not outcome.failed and not curve_failed


def pick_after_bench(out: Path) -> str:
    """Picks; returns what keeps it from picking, where anything does: the run itself is good."""
    from gaikan.flow.pick_run import pick_run

    try:
        pick_run(out)
    except GaikanError as error:
        return f"nothing picked: {error}"
    return ""


def _learn_curve(console: "Console", settings: "Config", out: Path) -> bool:
    """Trains on fewer images and shows what more would bring; returns whether a cell failed."""
    from gaikan.commands.progress import GridProgress
    from gaikan.commands.terminal import show_failed, table
    from gaikan.flow.curve_run import curve_run
    from gaikan.language.words import said, say
    from gaikan.report.curve_blocks import curve_lines, curve_rows

    with GridProgress(console) as progress:
        outcome = curve_run(settings, out, progress)
    if outcome.counts is None:
        console.print(
            say("curve_refused", reason=outcome.refused).en, style="yellow", soft_wrap=True
        )
        return False
    header, rows = curve_rows(outcome.counts)
    console.print(table(header, [[said(cell, "en") for cell in row] for row in rows]))
    for line in curve_lines(outcome.counts):
        console.print(line.en, style="dim")
    for failure in outcome.failed:
        show_failed(console, failure.cell, failure.reason)
    return bool(outcome.failed)
