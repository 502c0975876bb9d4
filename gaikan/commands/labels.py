"""`gaikan labels`: which labels of a run's data should a person look at?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import needs_harness
from gaikan.errors import GaikanError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.flow.label_run import Labelling

_SHOWN = 5  # variants


def labels(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="What `gaikan bench` wrote")],
) -> None:
    """Find labels that may be wrong: networks judge parts that they did not learn from."""
    with needs_harness():
        import torch  # noqa: F401 - what is missing of the harness is said first
    try:
        import cleanlab  # noqa: F401
    except ModuleNotFoundError:
        raise GaikanError(
            "gaikan labels: cleanlab is missing: pip install 'gaikan[labels]'"
        ) from None
    from gaikan.commands.progress import GridProgress
    from gaikan.commands.terminal import open_console
    from gaikan.flow.label_run import label_run

    console = open_console()
    with GridProgress(console) as progress:
        found = label_run(run, progress)
    show(console, found, run)


def show(console: "Console", found: "Labelling", run: Path) -> None:
    """Prints how many labels are doubted, the test figures without them, and what to do."""
    from gaikan.commands.terminal import table
    from gaikan.report.markdown_table import measured, percent

    for part, count in found.doubted.items():
        console.print(f"{part}: {count} of {found.images[part]} labels are doubted")
    header = ["variant", "accuracy", "without doubted", "escapes", "without doubted"]
    figures = [[each.variant, *map(percent, each.shares)] for each in found.figures[:_SHOWN]]
    console.print(table(*measured(header, figures)))
    console.print(
        f"Test figures in %, with all parts and without the {found.doubted['test']} whose "
        "label is doubted. The figures of the run are those with all.",
        style="dim",
    )
    console.print(
        f"By {found.trainings} trainings of {found.network}, each on other parts than it judged. A "
        "doubted label may be right: look at each. As many again follow those that are doubted.",
        style="dim",
    )
    console.print(f"Look: {found.page}", soft_wrap=True)
    console.print(
        f"Write: the right class into column 'correct' of {run / 'labels.csv'}, and the file's "
        "name into the configuration: [data] corrections",
        soft_wrap=True,
    )
