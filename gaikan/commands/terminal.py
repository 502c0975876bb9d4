"""What `gaikan` shows in a terminal: progress while it works, tables when it is done."""

import os
import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # `gaikan pick` shows tables too, without waiting for torch
    from gaikan.flow.bench_run import RunOutcome
    from gaikan.training.cell import Cell, Finished


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


def text_column(text: str, style: str = "none") -> TextColumn:
    """A column of a progress bar, its text as it is."""
    return TextColumn(text, style, markup=False)


def show_failed(console: Console, name: str, reason: str) -> None:
    """Says what has failed, and why."""
    console.print(Text.assemble(("failed", "bold red"), f" {name}: {reason}"))


class GridProgress(Progress):
    """A bar over all epochs with the cells at work, and a line for each cell that ends."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            text_column("training", "bold"),
            BarColumn(),
            text_column("{task.percentage:3.0f} %"),
            text_column("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.bar = self.add_task("", total=None, state="reading the images")
        self.remaining: dict[str, int] = {}  # epochs left, by cell name
        self.archs: dict[str, str] = {}
        self.started: dict[str, float] = {}
        self.pace: dict[str, float] = {}  # seconds an epoch, by architecture
        self.last = ""
        self.n_done = 0

    def begin(self, cells: "list[Cell]", stored: "list[Cell]") -> None:
        """`cells` are going to be trained; `stored` are finished already."""
        self.remaining = {cell.name: cell.recipe.train.epochs for cell in cells}
        self.archs = {cell.name: cell.recipe.arch for cell in cells}
        if stored:
            self.console.print(f"{len(stored)} of {len(cells) + len(stored)} cells are stored")
        self.update(self.bar, total=sum(self.remaining.values()) or None, state="starting")

    def epoch(self, cell: "Cell", epoch: int, loss: float) -> None:
        """An epoch of a cell has ended."""
        now = time.monotonic()
        start = self.started.setdefault(cell.name, now)
        if epoch > 1:
            self.pace[cell.recipe.arch] = (now - start) / (epoch - 1)
        self.remaining[cell.name] = cell.recipe.train.epochs - epoch
        self.last = f"{cell.name}, epoch {epoch}/{cell.recipe.train.epochs}, loss {loss:.3f}"
        self._show()

    def end(self, cell: "Cell", finished: "Finished") -> None:
        """A cell has ended, well or not."""
        self.remaining[cell.name] = 0
        self.n_done += 1
        if finished.failure:
            show_failed(self.console, cell.name, finished.failure)
        else:
            took = f" {cell.name} in {finished.seconds:.0f} s"
            self.console.print(Text.assemble(("done", "green"), took))
        self._show()

    def note(self, line: str) -> None:
        """Prints something that the user should know."""
        self.console.print(line, style="yellow", soft_wrap=True)

    def waiting(self, text: str) -> None:
        """Shows what the cells wait for."""
        self.update(self.bar, state=text)

    def stage(self, text: str) -> None:
        """Shows what is done after the cells have ended."""
        self.update(self.bar, total=1, completed=1, state=text)

    def _show(self) -> None:
        total = self.tasks[0].total or 0
        state = f"{self.n_done}/{len(self.remaining)} cells{self._left()} | {self.last}"
        self.update(self.bar, completed=total - sum(self.remaining.values()), state=state)

    def _left(self) -> str:
        """Time left, if a pace is known; an architecture without one counts as the slowest."""
        if not self.pace:
            return ""
        slowest = max(self.pace.values())
        work = sum(
            epochs * self.pace.get(self.archs[name], slowest)
            for name, epochs in self.remaining.items()
        )
        at_work = sum(left > 0 for name, left in self.remaining.items() if name in self.started)
        minutes, seconds = divmod(round(work / max(1, at_work)), 60)
        return f", about {minutes}:{seconds:02d} left"


class StepProgress(Progress):
    """A bar for work in named steps; called as each step begins."""

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(
            text_column(title, "bold"),
            BarColumn(),
            text_column("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.bar = self.add_task("", total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        """The step `step` begins; `done` of `total` steps are over."""
        self.update(self.bar, description=step, completed=done, total=total)


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


def show_run(console: Console, outcome: "RunOutcome") -> None:
    """Prints the figures of a run, what may make them wrong (leaks, notes), and what failed."""
    from gaikan.report.accuracy_table import accuracy_rows
    from gaikan.report.content import cautions
    from gaikan.report.markdown_table import measured
    from gaikan.report.trust_words import lowest_bound, rate_rows
    from gaikan.run_folder.whole import RunFolder

    console.print(table(*accuracy_rows(outcome.summary)))
    console.print(outcome.about, style="dim")
    if outcome.rates is not None:
        console.print(table(*measured(*rate_rows(outcome.rates))))
        lowest = lowest_bound(outcome.rates)
        if lowest is not None:
            console.print(lowest.en, style="dim")
    for caution in cautions(RunFolder.read(outcome.out)):
        console.print(caution.en, style="yellow")
    for failure in outcome.failed:
        show_failed(console, failure.cell, failure.reason)
