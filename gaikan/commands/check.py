"""`gaikan check`: a run against a baseline."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import needs_harness
from gaikan.errors import ConfigError
from gaikan.system.files import write, writing

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.check.changes import Kind
    from gaikan.check.outcome import CheckOutcome
    from gaikan.check.run_answers import CheckedRun


def check(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of `gaikan bench`")],
    baseline: Annotated[Path, typer.Option(help="What --update wrote")],
    update: Annotated[bool, typer.Option("--update", help="Make RUN the baseline")] = False,
    margin: Annotated[float, typer.Option(min=0, max=100, help="In points, of a share")] = 1.0,
    latency: Annotated[bool, typer.Option("--latency", help="Speeds, as ratios to torch")] = False,
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Fewer variants")] = False,
    allow_data: Annotated[bool, typer.Option("--allow-data", help="Other images")] = False,
    allow_recipe: Annotated[bool, typer.Option("--allow-recipe", help="Other training")] = False,
    allow_seeds: Annotated[bool, typer.Option("--allow-seeds", help="Fewer seeds")] = False,
    allow_inconclusive: Annotated[
        bool, typer.Option("--allow-inconclusive", help="Changes that intervals do not rule out")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write a pull request's summary")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML")] = None,
    history: Annotated[Path | None, typer.Option(help="Append to this CSV, and plot it")] = None,
) -> None:
    """Compare a run with a baseline: exit code 1 where it is worse, or that cannot be ruled out."""
    with needs_harness():
        from gaikan.check.baseline import Baseline
        from gaikan.check.frozen_file import read_frozen
        from gaikan.check.outcome import Settings
        from gaikan.check.outcome import check as compare
        from gaikan.check.run_answers import CheckedRun, lots
    from gaikan.commands.terminal import open_console

    console = open_console()
    tested = CheckedRun.read(run)
    if update:
        if markdown or junit or history:
            raise ConfigError("--update compares nothing: leave out --markdown, --junit, --history")
        _update(tested, baseline, console)
        return
    asked: dict[Kind, bool] = {
        "missing": allow_missing,
        "data": allow_data,
        "recipe": allow_recipe,
        "seeds": allow_seeds,
        "inconclusive": allow_inconclusive,
    }
    allowed = frozenset(kind for kind, given in asked.items() if given)
    settings = Settings(margin / 100, allowed, latency)
    held = Baseline.read(baseline)
    frozen = read_frozen(baseline, held.frozen)
    outcome = compare(tested, lambda: lots(tested), held, frozen, settings)
    _show(outcome, console)
    _write(outcome, markdown, junit)
    if history is not None:
        _remember(tested, outcome, history)
    raise typer.Exit(0 if outcome.passed else 1)


def _update(tested: "CheckedRun", path: Path, console: "Console") -> None:
    from gaikan.check.baseline import check_fit, make, save
    from gaikan.check.frozen_file import save_frozen
    from gaikan.check.frozen_networks import freeze
    from gaikan.check.run_answers import lots
    from gaikan.check.speed import ratios

    _refuse_other(path)
    check_fit(tested)
    groups, frozen = lots(tested), freeze(tested)
    baseline = make(tested, groups, ratios(tested.folder), save_frozen(frozen, path))
    save(baseline, path)
    kept = "with" if baseline.decisions else "without (too many for a small file)"
    networks = ", ".join(network.name for network in frozen.networks) if frozen else "none"
    console.print(
        f"{path}: {len(baseline.variants)} variants, {kept} their decisions, "
        f"{path.stat().st_size / 1000:.0f} kB, of commit {baseline.commit}; "
        f"frozen networks: {networks}",
        soft_wrap=True,
    )


def _refuse_other(path: Path) -> None:
    """Raises ConfigError where the file is there and was never a baseline, of whatever version."""
    if not path.exists():
        return
    try:
        is_baseline = "variants" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        is_baseline = False
    if not is_baseline:
        raise ConfigError(f"--baseline {path}: is there already, and is no baseline; name another")


def _show(outcome: "CheckOutcome", console: "Console") -> None:
    from gaikan.check.check_tables import SHORT, by_figure, caption, headline, reasons, remarks
    from gaikan.commands.terminal import table

    for figure, rows in by_figure(outcome.lines).items():
        console.print(table(SHORT, rows, figure))
    console.print(caption(outcome), style="dim")
    for remark in remarks(outcome):
        console.print(remark)
    for reason in reasons(outcome):
        console.print(f"failed: {reason}", style="red")
    console.print(headline(outcome), style="bold")


def _write(outcome: "CheckOutcome", markdown: Path | None, junit: Path | None) -> None:
    from gaikan.check.check_tables import as_markdown
    from gaikan.check.junit import as_xml

    for path, content in ((markdown, as_markdown(outcome)), (junit, as_xml(outcome))):
        if path is not None:
            write(path, content)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with writing(Path(summary)), Path(summary).open("a", encoding="utf-8") as file:
            file.write(as_markdown(outcome))  # other steps write it too


def _remember(tested: "CheckedRun", outcome: "CheckOutcome", path: Path) -> None:
    """Appends to the history, and writes its plot beside it."""
    from gaikan.check.history import append
    from gaikan.figures.history_figure import history_figure
    from gaikan.figures.style import save

    table = append(path, tested, outcome.lines, datetime.now(UTC))
    save(history_figure(table), path.with_suffix(".png"))
