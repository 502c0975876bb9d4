"""`gaikan data`: what a source holds."""

from typing import Annotated

import typer

from gaikan.commands.shared import SOURCE, ImageColumn, LabelColumn, Shape, needs_harness


def data(
    source: Annotated[str, typer.Argument(help=SOURCE)],
    shape: Shape = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
) -> None:
    """Describe a source: classes, counts, size, problems."""
    with needs_harness():  # only some of it: what trains takes seconds to import
        from gaikan.config.checked import validated
        from gaikan.config.model import DataConfig
        from gaikan.data.columns import Asked
        from gaikan.data.sources import read_source
        from gaikan.evaluation.source_facts import counts, facts
    from rich.console import Console

    from gaikan.commands.terminal import table

    size = validated(DataConfig, {"shape": shape}, "--shape").size
    frames = read_source(source, "train", size, Asked(image_column, label_column))
    console = Console(highlight=False)
    console.print(table(["", ""], [list(fact) for fact in facts(frames)]))
    console.print(table(*counts(frames)))
