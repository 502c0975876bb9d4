"""Progress in one place: a bar in a terminal, a line every ten seconds where there is none."""

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from gaikan.commands.terminal import show_failed, table

if TYPE_CHECKING:  # a bundle is timed without torch
    from gaikan.training.cell import Cell, Finished

_PROVISIONAL = (
    "Provisional: one seed, balanced accuracy in % on the validation parts that also chose the "
    "epoch. The other seeds and the test part may say otherwise."
)
LINE_SECONDS = 10.0  # between two lines where there is no terminal


def text_column(text: str, style: str = "none") -> TextColumn:
    """A column of a progress bar, its text as it is."""
    return TextColumn(text, style, markup=False)


class CalmProgress(Progress):
    """A bar that is gone when the work is done; without a terminal, a line now and then."""

    def __init__(self, console: Console, title: str, *columns: ProgressColumn) -> None:
        super().__init__(
            text_column(title, "bold"),
            BarColumn(),
            *columns,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.title = title
        self.state = ""  # what is being done, in words
        self._ended = Event()
        self._lines = Thread(target=self._say_lines, daemon=True)

    def start(self) -> None:
        """Shows the bar, or begins to say lines."""
        super().start()
        if self.disable:
            self._lines.start()

    def stop(self) -> None:
        """Takes the bar away, or says no more lines."""
        super().stop()
        if self.disable:
            self._ended.set()
            self._lines.join()

    def _say_lines(self) -> None:
        started = time.monotonic()
        while not self._ended.wait(LINE_SECONDS):
            minutes, seconds = divmod(round(time.monotonic() - started), 60)
            if self.state:
                line = f"{self.title} {minutes}:{seconds:02d}  {self.state}"
                self.console.print(line, soft_wrap=True)


class GridProgress(CalmProgress):
    """Progress over all epochs; when the first seed of all networks has ended, a first table."""

    def __init__(self, console: Console) -> None:
        percentage, state = (
            text_column("{task.percentage:3.0f} %"),
            text_column("{task.fields[state]}"),
        )
        super().__init__(console, "training", percentage, state)
        self.bar = self.add_task("", total=None, state="")
        self._say(state="reading the images")
        self.has_begun = False
        self.waiting_for: set[str] = set()  # cells of the first seed that have not ended
        self.first: dict[str, float] = {}  # validation score by network, of the first seed
        self.epochs: dict[str, int] = {}  # by cell name
        self.remaining: dict[str, int] = {}  # of them
        self.archs: dict[str, str] = {}
        self.started: dict[str, float] = {}
        self.pace: dict[str, float] = {}  # seconds a cell, by architecture
        self.at_once = 1  # cells, at most so far: between two of a worker there is one less
        self.last = ""
        self.n_done = 0

    def begin(self, cells: "list[Cell]", stored: "list[Cell]") -> None:
        """`cells` are going to be trained; `stored` are finished already.

        A run may train several grids of cells with the same names; the table is of the first grid.
        """
        is_first, self.has_begun = not self.has_begun, True
        self.started, self.n_done = {}, 0
        self.epochs = {cell.name: cell.recipe.train.epochs for cell in cells}
        self.remaining = dict(self.epochs)
        self.archs = {cell.name: cell.recipe.arch for cell in cells}
        if stored:
            self.console.print(f"{len(stored)} of {len(cells) + len(stored)} cells are stored")
        seeds = sorted({cell.recipe.seed for cell in cells})
        if len(seeds) > 1 and not stored and is_first:
            self.waiting_for = {cell.name for cell in cells if cell.recipe.seed == seeds[0]}
        self._say(total=sum(self.remaining.values()) or None, state="starting")

    def epoch(self, cell: "Cell", epoch: int, loss: float) -> None:
        """An epoch of a cell has ended."""
        now = time.monotonic()
        start = self.started.setdefault(cell.name, now)
        if epoch > 1:
            self.pace[cell.recipe.arch] = (now - start) / (epoch - 1) * self.epochs[cell.name]
        self.remaining[cell.name] = self.epochs[cell.name] - epoch
        self.last = f"{cell.name}, epoch {epoch}/{cell.recipe.train.epochs}, loss {loss:.3f}"
        self._show()

    def end(self, cell: "Cell", finished: "Finished") -> None:
        """A cell has ended, well or not."""
        self.remaining[cell.name] = 0
        self.n_done += 1
        if finished.failure:
            show_failed(self.console, cell.name, finished.failure)
        if cell.name in self.waiting_for:
            self._first_ended(cell, finished)
        self._show()

    def note(self, line: str) -> None:
        """Prints something that the user should know."""
        self.console.print(line, style="yellow", soft_wrap=True)

    def waiting(self, text: str) -> None:
        """Shows what the cells wait for."""
        self._say(state=text)

    def stage(self, text: str) -> None:
        """Shows what is done after the cells have ended."""
        self._say(total=1, completed=1, state=text)

    def _show(self) -> None:
        total = self.tasks[0].total or 0
        state = f"{self.n_done}/{len(self.remaining)} cells{self._left()} | {self.last}"
        self._say(completed=total - sum(self.remaining.values()), state=state)

    def _say(
        self, *, state: str, total: float | None = None, completed: float | None = None
    ) -> None:
        self.state = state
        self.update(self.bar, total=total, completed=completed, state=state)

    def _first_ended(self, cell: "Cell", finished: "Finished") -> None:
        """After the last network of the first seed, a first table; failed ones are left out."""
        from gaikan.report.markdown_table import percent
        from gaikan.training.stored_network import StoredNetwork

        self.waiting_for.discard(cell.name)
        if finished.trained is not None:
            network = StoredNetwork.unpack(finished.trained)
            score = network.validation_scores.get(str(network.best_epoch))
            if score is not None:
                self.first[cell.network] = score
        if self.waiting_for or not self.first:
            return
        best_first = sorted(self.first.items(), key=lambda item: -item[1])
        rows = [[name, percent(score)] for name, score in best_first]
        self.console.print(table(["network, provisional", "bal. val."], rows))
        self.console.print(_PROVISIONAL, style="dim")

    def _left(self) -> str:
        """Time left, if a pace is known; a cell of an architecture without one as the slowest."""
        at_work = sum(left > 0 for name, left in self.remaining.items() if name in self.started)
        self.at_once = max(self.at_once, at_work)
        if not self.pace:
            return ""
        slowest = max(self.pace.values())
        work = sum(
            epochs / self.epochs[name] * self.pace.get(self.archs[name], slowest)
            for name, epochs in self.remaining.items()
        )
        minutes, seconds = divmod(round(work / self.at_once), 60)
        return f", about {minutes}:{seconds:02d} left"


class StepProgress(CalmProgress):
    """A bar for work in named steps; called as each step begins."""

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console, title, text_column("{task.description}"))
        self.bar = self.add_task("", total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        """The step `step` begins; `done` of `total` steps are over."""
        self.state = f"{done} of {total}: {step}"
        self.update(self.bar, description=step, completed=done, total=total)
