"""Options that several commands have, and the message where the harness is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.errors import ConfigError, GaikanError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.data.listing import LeftOut

SOURCE = "terminals, FILE.parquet, FILE.csv, FOLDER or hub:owner/name, then @revision, :split"
Shape = Annotated[
    str | None,
    typer.Option(help="Image size of a frame table, or to resize a folder to: HEIGHTxWIDTH"),
]
ImageColumn = Annotated[str | None, typer.Option(help="Of a table: column of images or paths")]
LabelColumn = Annotated[str | None, typer.Option(help="Of a table: column of the labels")]
Quick = Annotated[
    bool, typer.Option("--quick", help="Time roughly: 1 thread, all cores, 2 batch sizes")
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace a run of other images in that folder")
]
Thorough = Annotated[bool, typer.Option("--thorough", help="Time 10 s a case, score all seeds")]
BundleFile = Annotated[Path, typer.Argument(metavar="BUNDLE", help="What `gaikan export` wrote")]
ImagePaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGES...",
        help="Image files, folders, .parquet or .csv tables; -: stdin names files",
    ),
]


def named_path(text: str) -> Path:
    """A path; raises ConfigError for an empty one, such as a shell variable that is not set."""
    if not text:
        raise ConfigError("--out: is empty; name a path")
    return Path(text)


BundleOut = Annotated[
    Path,
    typer.Option(
        "--out", "-o", parser=named_path, metavar="FILE", help="The new bundle: part.gaikan"
    ),
]


@contextmanager
def needs_harness() -> Iterator[None]:
    """Turns a missing package into one line that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise GaikanError(
            f"this command needs the harness ({error.name} is missing): pip install 'gaikan[bench]'"
        ) from None


def say_left_out(console: "Console", left_out: "LeftOut") -> None:
    """Says what of the sources was not read, where there is any."""
    for note in left_out.notes():
        console.print(note.en)


def timing_plan(quick: bool, thorough: bool) -> str | None:
    """The name of the timing plan that the options ask for; None: the configuration's own.

    Raises ConfigError where both are given.
    """
    if quick and thorough:
        raise ConfigError("--quick and --thorough: choose one")
    return "quick" if quick else "thorough" if thorough else None
