"""Tables as Markdown; without pandas, so that `gaikan pick` starts quickly."""

import math
import re
from collections.abc import Sequence
from typing import TypeVar

from tabulate import tabulate

from gaikan.errors import one_line

Rows = list[list[str]]
Column = TypeVar("Column")
Cell = TypeVar("Cell")


def measured(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> tuple[list[Column], list[list[Cell]]]:
    """The table without its empty columns, such as that of escapes where no class means good."""
    filled = [i for i in range(len(columns)) if any(row[i] for row in rows) or not rows]
    return [columns[i] for i in filled], [[row[i] for i in filled] for row in rows]


def markdown(header: list[str], rows: Rows) -> str:
    """A Markdown table; text to the left, figures to the right."""
    align = ["right" if right else "left" for right in are_figures(rows, len(header))]
    safe = [[_cell(cell) for cell in row] for row in rows]
    titles = list(map(_cell, header))
    return tabulate(safe, titles, tablefmt="pipe", colalign=align, disable_numparse=True)


def are_figures(rows: Rows, columns: int) -> list[bool]:
    """Whether each column holds nothing but signed or unsigned figures and empty cells."""
    return [all(re.match(r"[+-]?\d|$", row[i]) for row in rows) for i in range(columns)]


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; nothing for what was not measured."""
    return "" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def _cell(text: str) -> str:
    return inline(text).replace("|", "\\|")


def inline(text: str) -> str:
    """Text on one line of Markdown, escaped so that it makes no tag, link or code."""
    shown = one_line(" ".join(text.split()))
    return re.sub(r"([\\\[`]|<(?=[A-Za-z/!?]))", r"\\\1", shown)
