"""Writes `latency.md` and the figures of latency."""

from pathlib import Path

from gaikan.language.words import Language
from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.markdown_page import markdown
from gaikan.run_folder.latency_facts import read_facts
from gaikan.run_folder.latency_files import PAGE, own_rows
from gaikan.system.files import write


def write_latency_page(out: Path, pictures: bool = True, language: Language = "en") -> None:
    """Writes both for the run in `out`, from its `latency.csv` and `latency.json`.

    Without `pictures` the page alone, which is in English; `language` is that of the figures.
    """
    rows = own_rows(out)
    if pictures:
        from gaikan.figures.latency_figures import latency_figures
        from gaikan.figures.style import save

        for name, figure in latency_figures(rows, language).items():
            save(figure, out / f"figures/{name}.png")
    write(out / PAGE, markdown(latency_blocks(rows, read_facts(out))))
