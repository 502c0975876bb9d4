"""What the terminal shows when a run has ended: the answer first, then what it rests on."""

from pathlib import Path
from typing import TYPE_CHECKING

from gaikan.commands.pick import show_verdict, show_warnings
from gaikan.commands.terminal import show_failed, table
from gaikan.report import cautions
from gaikan.report.accuracy_table import accuracy_rows, may_be_best
from gaikan.report.installed_blocks import moves_border
from gaikan.report.latency_tables import skipped_lines
from gaikan.report.unseen_blocks import unseen_caption, unseen_reasons, unseen_rows
from gaikan.run_folder.whole import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

_BEST = 8  # variants that a terminal shows; where there is none, all are shown


def show_closing(console: "Console", out: Path) -> None:
    """Prints one screen: a sentence a stage, picks, accuracy, cautions, and where to read on."""
    folder = RunFolder.read(out)
    picks = None if folder.picks_stale else folder.picks
    if picks is not None:
        show_verdict(console, picks)
        console.print()
    _show_accuracy(console, folder)
    if folder.unseen is not None:
        _show_unseen(console, folder.unseen)
    for alert in cautions.of_run(folder):
        console.print(alert.text.en, style="yellow" if alert.serious else "dim")
    if picks is not None:
        show_warnings(console, picks)
    for failed in folder.manifest.failed:
        show_failed(console, failed.cell, failed.reason)
    skipped = len(skipped_lines(folder.latency))
    if skipped:
        console.print(
            f"{skipped} settings were not timed; why: {out / 'latency.md'}",
            style="dim",
            soft_wrap=True,
        )


def _show_accuracy(console: "Console", folder: RunFolder) -> None:
    """Prints the accuracy table, in a terminal its top alone, and how many may be the best."""
    header, rows = accuracy_rows(folder.summary)
    shown = rows[:_BEST] if console.is_terminal else rows
    console.print(table(header, shown))
    n_seeds = len(folder.manifest.seeds)
    mean = f", mean over {n_seeds} seeds" if n_seeds > 1 else ", one seed"
    best = int(may_be_best(folder.summary).eq(True).sum())
    told = f" =: may be the best, {best} of {len(rows)} variants." if best else ""
    border = " Without the borders that stages set." if moves_border(folder.picks) else ""
    about = f"Test in %{mean}, with 95 % interval; val.: validation.{told}{border}"
    console.print(about, style="dim")
    left = f"{len(rows) - len(shown)} more variants, and what" if len(shown) < len(rows) else "What"
    page = folder.out / "accuracy.md"
    console.print(f"{left} the columns say: {page}", style="dim", soft_wrap=True)


def _show_unseen(console: "Console", unseen: "pd.DataFrame") -> None:
    """Prints what became of the defects that training had not seen."""
    header, rows = unseen_rows(unseen)
    shown = rows[:_BEST] if console.is_terminal else rows
    console.print(table(header, shown, title="Defects that training has not seen"))
    console.print(unseen_caption(unseen).en, style="dim")
    for reason in unseen_reasons(unseen):
        console.print(reason.en, style="yellow")
