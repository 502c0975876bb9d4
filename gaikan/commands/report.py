"""`gaikan report`: the pages of a run, made anew."""

from pathlib import Path
from typing import Annotated

import typer

from gaikan.commands.shared import needs_harness
from gaikan.commands.time import show_fastest
from gaikan.errors import GaikanError


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of `gaikan bench`")],
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
    lang: Annotated[str, typer.Option(help="Shown first: en or ja")] = "en",
    latency: Annotated[
        list[Path] | None, typer.Option(help="A table of `gaikan time`, to be merged")
    ] = None,
) -> None:
    """Write report.html and report.md of a run anew, from its other files."""
    import webbrowser

    with needs_harness():
        from gaikan.report.latency_page import write_latency_page
        from gaikan.report.pages import write_pages
        from gaikan.run_folder.latency_files import merge_into
    from gaikan.commands.terminal import open_console

    console = open_console()
    if latency:
        rows = merge_into(run_folder, latency)
        write_latency_page(run_folder)
        show_fastest(console, rows, run_folder / "latency.md")
    page = write_pages(run_folder, lang)
    console.print(f"Report: {page}", soft_wrap=True)
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        raise GaikanError(f"--open: no browser was found; open {page} in one")
