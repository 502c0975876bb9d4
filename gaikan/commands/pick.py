"""`gaikan pick`: which variant to install at which inspection stage, from the files of a run."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import needs_harness
from gaikan.errors import GaikanError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.run_folder.picks_file import PicksFile


def pick(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="What `gaikan bench` wrote")],
    stages: Annotated[
        Path | None, typer.Option(help=r"TOML with \[stage.NAME]; default: the run's own, or two")
    ] = None,
) -> None:
    """Say which variant to install at which inspection stage, and why. Trains nothing."""
    from gaikan.commands.terminal import open_console

    with needs_harness():
        from gaikan.flow.pick_run import pick_run

    gc.disable()  # a tenth of the time would go into looking for garbage, and there is none
    try:
        picks = pick_run(run, stages)
    finally:
        gc.enable()
    console = open_console()
    show(console, picks, run)
    if (run / "report.html").exists():
        console.print(f"`gaikan report {run}` puts them on the page.", soft_wrap=True)
    raise typer.Exit(1 if any(stage.pick is None for stage in picks.stages.values()) else 0)


def pick_after_bench(console: "Console", out: Path) -> None:
    """Picks at the end of `gaikan bench`, where an error is only shown: the run itself is good."""
    from rich.text import Text

    from gaikan.flow.pick_run import pick_run

    try:
        show(console, pick_run(out), out)
    except GaikanError as error:
        console.print(Text.assemble(("nothing picked", "bold red"), f" {error}"))


def show(console: "Console", picks: "PicksFile", out: Path) -> None:
    """Prints the short table of picks, and the lines below it."""
    from gaikan.commands.terminal import table
    from gaikan.report.picks_page import short_lines, short_rows

    console.print(table(*short_rows(picks)))
    console.print("In %: validation, on which the choice was made; test, which only confirms it.")
    for line in short_lines(picks):
        console.print(line, style="yellow" if ": warning: " in line else "dim")
    console.print(
        f"Reasons: {out / 'picks.md'}; picture: {out / 'figures/tree.svg'}", soft_wrap=True
    )
