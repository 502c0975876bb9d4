"""`gaikan bench` on several data sets: one run each, then the summary of all."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gaikan.commands.terminal import show_failed, table
from gaikan.config.model import Config
from gaikan.config.plan import BenchPlan
from gaikan.data.sources import check_source
from gaikan.errors import GaikanError, kind_and_line
from gaikan.flow.bench_run import check_config, check_folder
from gaikan.summary.page import PAGE, Failed, caption, left_out, rank_rows, verdict
from gaikan.summary.standings import Standings
from gaikan.summary.summary_files import summarise
from gaikan.system.lock import locked


def bench_all(
    plan: BenchPlan,
    out: Path | None,
    bench_one: Callable[[Config, Path], bool],
    console: Console,
    replace: bool = False,
) -> bool:
    """Runs one data set after the other and summarises them; returns whether all went well.

    `bench_one` takes a configuration and its folder, and returns whether every cell ended well. A
    data set that fails is reported, and the others run. Before the first run it raises ConfigError
    and DataError for what is wrong with any of them without reading images, and, without
    `replace`, where a folder holds a run of other images.
    """
    folders, summary = plan.folders(out)
    _check(plan)
    for run, folder in () if replace else zip(plan.runs, folders, strict=True):
        with _naming(run.file):
            check_folder(run.config, folder)
    done: dict[str, Path] = {}
    failed: list[Failed] = []
    whole = True
    with locked(summary):
        for number, (run, folder) in enumerate(zip(plan.runs, folders, strict=True), start=1):
            where = f" ({number} of {len(folders)})"
            console.print(Text.assemble((run.name, "bold"), where))
            try:
                whole &= bench_one(run.config, folder)
                done[run.name] = folder
            except Exception as error:  # the work of a night on the others must not be lost
                reason = str(error)
                if not isinstance(error, GaikanError):
                    traceback.print_exc()
                    reason = kind_and_line(error)
                failed.append(Failed(run.name, reason))
                show_failed(console, run.name, reason)
        console.print(Text.assemble(("summary", "bold"), f" of {len(folders)} data sets"))
        _show(console, summarise(summary, done, failed), failed)
    console.print(f"Summary: {summary / PAGE}", soft_wrap=True)
    return whole and not failed


def _check(plan: BenchPlan) -> None:
    for run in plan.runs:
        with _naming(run.file):
            check_config(run.config)
        for part in ("train", "test"):
            source = getattr(run.config.data, part)
            if source is not None:
                with _naming(f"{run.file}: key '{run.table}.{part}'"):
                    check_source(source)


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Puts `where` in front of the message of an error."""
    try:
        yield
    except GaikanError as error:
        raise type(error)(f"{where}: {error}") from None


def _show(console: Console, standings: Standings, failed: list[Failed]) -> None:
    if len(standings.ranked):
        console.print(table(*rank_rows(standings)))
        console.print(caption(), style="dim")
    for line in verdict(standings) + left_out(standings):
        console.print(line, style="dim")
    for run in failed:
        show_failed(console, run.name, run.reason)
