"""Markdown tables; no pandas, so that `gaikan pick` starts quickly."""

from tabulate import tabulate

Rows = list[list[str]]


def markdown(header: list[str], rows: Rows) -> str:
    """A Markdown table; text to the left, figures to the right."""
    figures = [all(_is_figure(row[i]) for row in rows) for i in range(len(header))]
    align = ["right" if figure else "left" for figure in figures]
    safe = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return tabulate(safe, header, tablefmt="pipe", colalign=align, disable_numparse=True)


def _is_figure(cell: str) -> bool:
    return not cell or cell[0].isdigit()
