"""Markdown tables; no pandas, so that `gaikan pick` starts quickly."""

import re

from tabulate import tabulate

from gaikan.errors import one_line

Rows = list[list[str]]


def markdown(header: list[str], rows: Rows) -> str:
    """A Markdown table; text to the left, figures to the right."""
    align = ["right" if right else "left" for right in are_figures(rows, len(header))]
    safe = [[_cell(cell) for cell in row] for row in rows]
    titles = list(map(_cell, header))
    return tabulate(safe, titles, tablefmt="pipe", colalign=align, disable_numparse=True)


def are_figures(rows: Rows, columns: int) -> list[bool]:
    """Of each column, whether its cells hold figures, signed or not, or nothing."""
    return [all(re.match(r"[+-]?\d|$", row[i]) for row in rows) for i in range(columns)]


def _cell(text: str) -> str:
    return inline(text).replace("|", "\\|")


def inline(text: str) -> str:
    """Text on one line of Markdown, in which no name of the data makes a tag, a link or code."""
    shown = one_line(" ".join(text.split()))
    return re.sub(r"([\\\[`]|<(?=[A-Za-z/!?]))", r"\\\1", shown)
