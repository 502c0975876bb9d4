"""`gaikan new`: a configuration to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from gaikan.commands.shared import (
    SOURCE,
    ImageColumn,
    LabelColumn,
    Shape,
    named_path,
    needs_harness,
)


def new(
    source: Annotated[str, typer.Argument(help=SOURCE)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", parser=named_path, metavar="TOML", help="Default: NAME.toml, here"
        ),
    ] = None,
    shape: Shape = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
) -> None:
    """Write a configuration for a source: every key, explained; what its names propose is set."""
    with needs_harness():
        from gaikan.config.checked import validated
        from gaikan.config.model import DataConfig
        from gaikan.flow.new_config import new_config
    from gaikan.commands.terminal import open_console

    asked = {"image_column": image_column, "label_column": label_column}
    data = validated(DataConfig, {"train": source, "shape": shape, **asked}, "command line")
    written = new_config(data, out)
    console = open_console(soft_wrap=True)
    for line in written.found:
        console.print(line)
    for refusal in written.refused:
        console.print(refusal.en, style="yellow")
    console.print(f"{written.path}: change what you like, then gaikan bench {written.path}")
