"""`gaikan pick`: which variant to install at which inspection stage, from the files of a run."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import needs_harness

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.run_folder.picks_file import PicksFile

_SIDES = "In %: validation chose it or set its border; test only confirms it."
_AT_MOST = " At most: the upper 95 % bound of escapes."


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


def show(console: "Console", picks: "PicksFile", out: Path) -> None:
    """Prints a sentence a stage, the short table of picks, and the lines below it."""
    from gaikan.report.picks_page import short_lines

    show_verdict(console, picks)
    for line in short_lines(picks):
        console.print(line, style="dim")
    show_warnings(console, picks)
    console.print(
        f"Reasons: {out / 'picks.md'}; picture: {out / 'figures/tree.svg'}", soft_wrap=True
    )


def show_verdict(console: "Console", picks: "PicksFile") -> None:
    """Prints a sentence a stage, and the short table of picks."""
    from gaikan.commands.terminal import table
    from gaikan.report.picks_page import short_rows, verdict_lines

    for line in verdict_lines(picks):
        console.print(line, style="bold")
    if picks.picked:
        console.print()
        console.print(table(*short_rows(picks)))
        console.print(_SIDES + _AT_MOST * (picks.ok is not None))


def show_warnings(console: "Console", picks: "PicksFile") -> None:
    """Prints what speaks against relying on the picks."""
    from gaikan.report.picks_page import warning_lines

    for line in warning_lines(picks):
        console.print(line, style="yellow")
