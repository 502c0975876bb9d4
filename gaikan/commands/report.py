"""`gaikan report`: the pages of a run, made anew."""

from pathlib import Path
from typing import Annotated

import typer

from gaikan.commands.shared import needs_harness
from gaikan.commands.time import show_fastest
from gaikan.errors import GaikanError

_NO_LETTERS = (
    "No installed font has Japanese letters: the pictures keep English words, their captions are "
    "Japanese. On Debian and Ubuntu `apt install fonts-noto-cjk` brings one."
)


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of `gaikan bench`")],
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
    lang: Annotated[str, typer.Option(help="Shown first: en or ja")] = "en",
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw its pictures anew, in the language of --lang")
    ] = False,
    latency: Annotated[
        list[Path] | None, typer.Option(help="A table of `gaikan time`, to be merged")
    ] = None,
) -> None:
    """Write report.html and report.md of a run anew, from its other files."""
    import webbrowser

    with needs_harness():
        from gaikan.report.latency_page import write_latency_page
        from gaikan.report.pages import known_language, write_pages
        from gaikan.run_folder.latency_files import merge_into
    from gaikan.commands.terminal import open_console

    console, language = open_console(), known_language(lang)
    if latency:
        rows = merge_into(run_folder, latency)
        write_latency_page(run_folder)
        show_fastest(console, rows, run_folder / "latency.md")
    if redraw:
        from gaikan.flow.redraw import redraw as draw_anew

        if draw_anew(run_folder, language) != language:
            console.print(_NO_LETTERS, style="yellow")
    page = write_pages(run_folder, language)
    console.print(f"Report: {page}", soft_wrap=True)
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        raise GaikanError(f"--open: no browser was found; open {page} in one")
