"""`gaikan predict`: images to classes, on the line."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import BundleFile, ImageColumn, ImagePaths, say_left_out
from gaikan.errors import ConfigError, one_line
from gaikan.system.files import replacing

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.bundle.card import Card
    from gaikan.bundle.stream import Line, Tally


def predict(
    bundle: BundleFile,
    images: ImagePaths,
    csv: Annotated[Path | None, typer.Option(help="Write the decisions to this file")] = None,
    json: Annotated[bool, typer.Option("--json", help="A JSON object a line, on stdout")] = False,
    image_column: ImageColumn = None,
    strict: Annotated[bool, typer.Option(help="Stop at an image that cannot be read")] = False,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="Images at a time")] = 64,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Exit code 1 on such a verdict or a worse one: ask, defective"),
    ] = None,
) -> None:
    """Classify images with a bundle. Needs no more than `pip install gaikan`.

    Exit code 1: some images could not be read, or have a verdict of --fail-on.
    """
    if csv is not None and json:
        raise ConfigError("--csv and --json: choose one")
    from gaikan.bundle.bundle import Bundle
    from gaikan.bundle.images import count, read_batches
    from gaikan.bundle.stream import Tally
    from gaikan.bundle.stream import predict as decide
    from gaikan.commands.terminal import open_console
    from gaikan.data.listing import LeftOut

    model = Bundle.open(bundle)
    failing = _failing(fail_on, model.card)
    left_out = LeftOut()
    batches = read_batches(images, model.card, batch, left_out, image_column)
    console = open_console(stderr=True, soft_wrap=True)
    tally, started = Tally(), time.perf_counter()
    batches_of_lines = _with_progress(
        decide(model, batches, tally, strict), count(images, image_column), console
    )
    if csv is not None:
        _write_csv(csv, batches_of_lines)
    else:
        _print(batches_of_lines, json)
    _sum_up(console, tally, time.perf_counter() - started)
    say_left_out(console, left_out)
    if tally.unread:
        n = f"{tally.unread} image{'s' * (tally.unread > 1)}"
        console.print(f"{n} could not be read: the reason stands in the row of each", style="bold")
    if tally.unread or any(tally.verdicts[verdict] for verdict in failing):
        raise typer.Exit(1)


def _write_csv(path: Path, batches: "Iterator[list[Line]]") -> None:
    """Writes the lines to a file. Raises ConfigError where it cannot be written."""
    from gaikan.bundle.stream import COLUMNS, csv_text

    try:
        with replacing(path) as file:
            file.write(f"{','.join(COLUMNS)}\n".encode())
            for lines in batches:
                file.write(csv_text(lines).encode(errors="backslashreplace"))
    except OSError as error:
        raise ConfigError(f"--csv {path}: cannot be written ({error.strerror})") from None


def _print(batches: "Iterator[list[Line]]", json: bool) -> None:
    """Writes the lines to stdout as each batch ends: a table, or a JSON object a line."""
    from gaikan.bundle.stream import json_line

    plain = (sys.stdout.encoding or "").lower() != "utf-8"
    if not json:
        sys.stdout.write(
            f"{'class':<16} {'verdict':<9} {'distance':>9} {'margin':>9} {'novelty':>7}  image\n"
        )
    for lines in batches:
        texts = (f"{json_line(line, plain)}\n" if json else _text(line) for line in lines)
        sys.stdout.write("".join(texts))
        sys.stdout.flush()


def _failing(verdict: str | None, card: "Card") -> tuple[str, ...]:
    """The verdicts that make the exit code 1; ConfigError where the bundle can't give them."""
    if verdict is None:
        return ()
    if verdict not in ("ask", "defective"):
        raise ConfigError(f"--fail-on {verdict}: choose ask or defective")
    if card.ok is None:
        raise ConfigError("--fail-on: no class of this bundle means good, so it has no verdicts")
    return ("ask", "defective") if verdict == "ask" else ("defective",)


def _text(line: "Line") -> str:
    name, label, verdict, distance, margin, novelty_p, error = line
    if error:
        return f"{'':<16} {verdict:<9} {'':>9} {'':>9} {'':>7}  {one_line(error)}\n"
    figures = f"{distance:>9.4f} {margin:>9.4f} {novelty_p:>7.3f}"
    return f"{one_line(label):<16} {verdict:<9} {figures}  {one_line(name)}\n"


def _with_progress(
    batches: "Iterator[list[Line]]", total: int | None, console: "Console"
) -> "Iterator[list[Line]]":
    """The same batches, with a progress bar where stderr is a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        for lines in batches:
            yield lines
            bar.advance(task, len(lines))


def _sum_up(console: "Console", tally: "Tally", seconds: float) -> None:
    if not tally.images:
        return
    classes = ", ".join(f"{name} {n}" for name, n in tally.classes.most_common())
    pace = f"{seconds:.1f} s ({tally.images / seconds:.0f} a second)"
    console.print(f"{tally.images} images in {pace}: {classes}")
    asked = tally.verdicts["ask"]
    if asked:
        images = f"{asked} image{'s' * (asked > 1)}"
        console.print(f"{images} called good, but new to the model: a person should look (ask)")
    for change, n in tally.changes.items():
        console.print(f"{n} of {tally.images} images {change}")
