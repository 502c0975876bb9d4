"""A console that shows names as they are, and the tables in it."""

import os

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNCUT = 10_000  # columns
_LONGEST_FIGURE = 40  # characters; a cell that is longer is a list of names


def open_console(stderr: bool = False, soft_wrap: bool = False) -> Console:
    """A console that shows names and paths as they are: "[ng]" in one is no markup.

    Only a terminal has a width; what goes to a file or a pipe is neither cut nor folded.
    """
    console = Console(
        stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNCUT
    return console


def show_failed(console: Console, name: str, reason: str) -> None:
    """Says what has failed, and why."""
    console.print(Text.assemble(("failed", "bold red"), f" {name}: {reason}"))


def table(header: list[str], rows: list[list[str]], title: str | None = None) -> Table:
    """A table that fits the terminal; the first column to the left, figures to the right.

    Names too long for the room that the figures leave go on in the next line.
    """
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        if i == 0:
            shown.add_column(name, overflow="fold")
        else:
            least = max(map(cell_len, [name, *(row[i] for row in rows)]))
            if least > _LONGEST_FIGURE:
                shown.add_column(name, overflow="fold")
            else:
                shown.add_column(name, justify="right", no_wrap=True, min_width=least)
    for row in rows:
        shown.add_row(*row)
    return shown
