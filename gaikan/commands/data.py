"""`gaikan data`: what a source holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import SOURCE, ImageColumn, LabelColumn, Shape, needs_harness
from gaikan.errors import ConfigError

if TYPE_CHECKING:
    from gaikan.data.frames import Frames


def data(
    source: Annotated[str, typer.Argument(help=SOURCE)],
    shape: Shape = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw some images of each class into this PNG file")
    ] = None,
) -> None:
    """Describe a source: classes, counts, size, problems."""
    if picture is not None and picture.suffix.lower() != ".png":
        raise ConfigError(f"--picture {picture}: is a PNG file; name it so: {picture.stem}.png")
    with needs_harness():  # only some of it: what trains takes seconds to import
        from gaikan.config.checked import validated
        from gaikan.config.model import Config, DataConfig
        from gaikan.data.columns import Asked
        from gaikan.data.sources import read_source
        from gaikan.evaluation.refusals import refusals
        from gaikan.evaluation.source_facts import counts, facts
    from gaikan.commands.terminal import open_console, table

    size = validated(DataConfig, {"shape": shape}, "--shape").size
    frames = read_source(source, "train", size, Asked(image_column, label_column))
    console = open_console()
    for fact, value in facts(frames):
        console.print(f"{fact:<12} {value}", soft_wrap=True)
    console.print(table(*counts(frames)))
    for refusal in refusals(frames, Config()):
        console.print(refusal.en, style="yellow", soft_wrap=True)
    if picture is not None:
        _draw(frames, picture)
        console.print(f"{picture}: images of each class", soft_wrap=True)


def _draw(frames: "Frames", path: Path) -> None:
    with needs_harness():
        from gaikan.figures.run_figures import sample_grid
        from gaikan.figures.style import save
    save(sample_grid(frames), path)
