"""The command line. Nothing heavy is imported before a command needs it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gaikan import line
from gaikan.errors import GaikanError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare small vision models for industrial inspection: which one at which stage.",
)
_state = {"debug": False}

_SOURCE = "terminals, FILE.parquet, FILE.csv, FOLDER or hub:owner/name[@revision][:split]"
Shape = Annotated[
    str | None,
    typer.Option(help="Image size of a frame table, or to resize a folder to: HEIGHTxWIDTH"),
]


@app.callback()
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
) -> None:
    _state["debug"] = debug


@app.command()
def bench(
    config: Annotated[Path | None, typer.Argument(help="TOML; none: full grid, terminals")] = None,
    train: Annotated[str | None, typer.Option(help=f"Source: {_SOURCE}")] = None,
    test: Annotated[str | None, typer.Option(help="Source of the test part")] = None,
    ok: Annotated[str | None, typer.Option(help="Class or failure mode that means good")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many seeds")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of every training")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default results/NAME")] = None,
    shape: Shape = None,
    references: Annotated[
        str | None, typer.Option(help="Classical classifiers beside the grid: all or none")
    ] = None,
) -> None:
    """Train and score the grid; go on where an interrupted run stopped."""
    asked = {
        "data.train": train,
        "data.test": test,
        "data.ok": ok,
        "data.shape": shape,
        "seeds": seeds,
        "train.epochs": epochs,
        "device": device,
        "references": references,
    }
    run = _harness()
    from rich.console import Console

    from gaikan.config import load_config
    from gaikan.report.tables import accuracy_rows
    from gaikan.report.trust import rate_rows
    from gaikan.terminal import GridProgress, table

    settings = load_config(
        config, {key: value for key, value in asked.items() if value is not None}
    )
    console = Console(highlight=False)
    with GridProgress(console) as progress:
        outcome = run.bench(settings, out or Path("results") / settings.run_name, progress)
    console.print(table(*accuracy_rows(outcome.summary)))
    console.print(outcome.about, style="dim")
    if outcome.rates is not None:
        console.print(table(*rate_rows(outcome.rates)))
    for failure in outcome.failed:
        console.print(f"[bold red]failed[/] {failure['cell']}: {failure['reason']}")
    console.print(f"Report: {outcome.out / 'report.md'}")
    raise typer.Exit(1 if outcome.failed else 0)


def _harness() -> Any:
    with line.needs_harness():
        from gaikan import run

        return run


@app.command()
def data(source: Annotated[str, typer.Argument(help=_SOURCE)], shape: Shape = None) -> None:
    """Describe a source: classes, counts, size, problems."""
    _harness()
    from rich.console import Console

    from gaikan.config import DataConfig, validated
    from gaikan.data.audit import counts, facts
    from gaikan.data.sources import read_source
    from gaikan.terminal import table

    size = validated(DataConfig, {"shape": shape}, "--shape").size
    frames = read_source(source, "train", size)
    console = Console(highlight=False)
    console.print(table(["", ""], [list(fact) for fact in facts(frames)]))
    console.print(table(*counts(frames)))


line.register(app)


def main() -> None:
    """The entry point: an error of the user's is one line on stderr, and exit code 2."""
    try:
        app()
    except GaikanError as error:
        if _state["debug"]:
            raise
        print(f"gaikan: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
