"""`latency.md` and the figures of latency."""

from pathlib import Path

from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.markdown_page import markdown
from gaikan.run_folder.latency_files import PAGE, own_rows, read_facts
from gaikan.system.files import write


def write_latency_page(out: Path) -> None:
    """Both, from `latency.csv` and `latency.json` of the run in `out`."""
    from gaikan.figures.latency_figures import latency_figures
    from gaikan.figures.style import save

    rows = own_rows(out)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    for name, figure in latency_figures(rows).items():
        save(figure, out / f"figures/{name}.png")
    write(out / PAGE, markdown(latency_blocks(rows, read_facts(out))))
