"""The blocks that a report is made of; Markdown and HTML are renderings of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gaikan.language.words import Words, say
from gaikan.report.markdown_table import Rows, measured


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a small one is a caption."""

    text: Words
    small: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: Words


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: list[Words]


@dataclass(frozen=True)
class Table:
    """Rows of text under `columns`; `filtered`: on a page, with a field to filter rows by."""

    columns: list[Words]
    rows: Sequence[Sequence[str | Words]]
    filtered: bool = False

    @classmethod
    def of(
        cls,
        columns: Sequence[str | Words],
        rows: Sequence[Sequence[str | Words]],
        filtered: bool = False,
    ) -> "Table":
        """Without columns that are empty in every row; a column is in words, or by its key."""
        titles = [say(f"c_{column}") if isinstance(column, str) else column for column in columns]
        return cls(*measured(titles, rows), filtered)

    @property
    def in_english(self) -> Rows:
        """The rows in English."""
        return [[c.en if isinstance(c, Words) else c for c in row] for row in self.rows]


@dataclass(frozen=True)
class Picture:
    """An image file of the run folder; `path` is relative to it."""

    path: str
    title: Words


@dataclass(frozen=True)
class Branch:
    """A node of a tree with its children; `marks` stand beside it."""

    text: Words
    children: "list[Branch]"
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Tree:
    """A picture of a tree; a narrow page shows its `branches` and what is said `about` them."""

    picture: Picture
    branches: list[Branch]
    about: list[Words]


@dataclass(frozen=True)
class Code:
    """Text to be copied, as it is."""

    text: str


@dataclass(frozen=True)
class Alert:
    """What a reader should know; a serious one makes figures wrong or void, others are notes."""

    text: Words
    serious: bool = True


@dataclass(frozen=True)
class StageCard:
    """One answer, such as the pick of a stage; `figures` are (label, value)."""

    title: Words
    answer: Words
    figures: list[tuple[Words, Words]]
    alerts: list[Alert]
    found: bool = True  # whether there is an answer


@dataclass(frozen=True)
class Cards:
    """Answers side by side."""

    cards: list[StageCard]


@dataclass(frozen=True)
class Fold:
    """Blocks that are hidden under `title` until the reader opens them."""

    title: Words
    blocks: "list[Block]"


@dataclass(frozen=True)
class Live:
    """An interactive part of the page, by name; Markdown shows the `stills` in its place."""

    name: str
    stills: list[Picture]


Block = Paragraph | Heading | Bullets | Table | Picture | Tree | Code | Cards | Fold | Live


@dataclass(frozen=True)
class ReportSection:
    """A part of the report with a title; `name` is what links to it use."""

    name: str
    title: Words
    blocks: list[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: Words
    headline: list[Words]
    alerts: list[Alert]
    sections: list[ReportSection]
