"""What `gaikan` shows in a terminal: progress while it works, tables when it is done."""

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:  # `gaikan pick` shows tables too, without waiting for torch
    from gaikan.training.cell import Cell, Finished


class _Shown:
    """A progress bar that is shown while its `with` block runs."""

    def __init__(self, console: Console, *columns: ProgressColumn) -> None:
        self.progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()


class GridProgress(_Shown):
    """A bar over all epochs with the cells at work, and a line for each cell that ends."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            TextColumn("[bold]training"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[state]}"),
        )
        self.console = console
        self.bar = self.progress.add_task("", total=None, state="reading the images")
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
        self.progress.update(self.bar, total=sum(self.remaining.values()) or None, state="starting")

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
            self.console.print(f"[bold red]failed[/] {cell.name}: {finished.failure}")
        else:
            self.console.print(f"[green]done[/] {cell.name} in {finished.seconds:.0f} s")
        self._show()

    def note(self, line: str) -> None:
        """Prints something that the user should know."""
        self.console.print(line, style="yellow", markup=False, soft_wrap=True)

    def waiting(self, text: str) -> None:
        """Shows what the cells wait for."""
        self.progress.update(self.bar, state=text)

    def stage(self, text: str) -> None:
        """Shows what is done after the cells have ended."""
        self.progress.update(self.bar, total=1, completed=1, state=text)

    def _show(self) -> None:
        total = self.progress.tasks[0].total or 0
        state = f"{self.n_done}/{len(self.remaining)} cells{self._left()} | {self.last}"
        self.progress.update(self.bar, completed=total - sum(self.remaining.values()), state=state)

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


class StepProgress(_Shown):
    """A bar for work in named steps; called as each step begins."""

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(
            console, TextColumn(f"[bold]{title}"), BarColumn(), TextColumn("{task.description}")
        )
        self.bar = self.progress.add_task("", total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        """The step `step` begins; `done` of `total` steps are over."""
        self.progress.update(self.bar, description=step, completed=done, total=total)


def table(header: list[str], rows: list[list[str]], title: str | None = None) -> Table:
    """A table that fits the terminal; the first column to the left, figures to the right.

    A name too long for the room that the figures leave goes on in the next line.
    """
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        if i == 0:
            shown.add_column(name, overflow="fold")
        else:
            least = max(map(cell_len, [name, *(row[i] for row in rows)]))
            shown.add_column(name, justify="right", no_wrap=True, min_width=least)
    for row in rows:
        shown.add_row(*row)
    return shown


def show_cautions(console: Console, out: Path) -> None:
    """Prints what may make the figures of the run in `out` wrong: leaks and notes on its data."""
    from gaikan.report.content import cautions
    from gaikan.run_folder.whole import RunFolder

    for caution in cautions(RunFolder.read(out)):
        console.print(caution.en, style="yellow", markup=False)
