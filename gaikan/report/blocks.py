"""What a report is made of, whether it is written as Markdown or as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gaikan.report.markdown_table import Rows
from gaikan.report.strings import Words


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a small one is a caption."""

    kind: ClassVar[str] = "paragraph"
    text: Words
    small: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: Words


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: list[Words]


@dataclass(frozen=True)
class Table:
    """Rows of text, a column a label; `filtered`: with a field that leaves rows out."""

    kind: ClassVar[str] = "table"
    columns: list[Words]
    rows: Sequence[Sequence[str | Words]]
    filtered: bool = False

    @property
    def in_english(self) -> Rows:
        """The cells as text."""
        return [[c.en if isinstance(c, Words) else c for c in row] for row in self.rows]


@dataclass(frozen=True)
class Picture:
    """An image file of the run folder, by its path there."""

    kind: ClassVar[str] = "picture"
    path: str
    title: Words


@dataclass(frozen=True)
class Code:
    """Text to copy."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class StageCard:
    """One answer: what it is about, the answer, its figures by label, and warnings."""

    title: Words
    answer: Words
    figures: list[tuple[Words, Words]]
    warnings: list[Words]
    found: bool = True  # whether there is an answer


@dataclass(frozen=True)
class Cards:
    """Answers side by side."""

    kind: ClassVar[str] = "cards"
    cards: list[StageCard]


@dataclass(frozen=True)
class Fold:
    """Blocks that are folded up until somebody asks for them."""

    kind: ClassVar[str] = "fold"
    title: Words
    blocks: "list[Block]"


@dataclass(frozen=True)
class Live:
    """What answers to the mouse on a page, by name; elsewhere the still pictures stand for it."""

    kind: ClassVar[str] = "live"
    name: str
    stills: list[Picture]


Block = Paragraph | Heading | Bullets | Table | Picture | Code | Cards | Fold | Live


@dataclass(frozen=True)
class ReportSection:
    """A part of the report with a title; `name` is its anchor."""

    name: str
    title: Words
    blocks: list[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    name: str
    headline: list[Words]
    alerts: list[Words]
    sections: list[ReportSection]
