"""A report as Markdown, in English: what a pull request shows."""

import re
from collections.abc import Iterable

from gaikan.report import blocks
from gaikan.report.markdown_table import inline
from gaikan.report.markdown_table import markdown as table


def page(report: blocks.Document) -> str:
    """The text of `report.md`."""
    parts = [f"# {inline(report.title.en)}", *(inline(words.en) for words in report.headline)]
    parts += map(_alert, report.alerts)
    for section in report.sections:
        parts += [f"## {inline(section.title.en)}", markdown(section.blocks).rstrip()]
    return "\n\n".join(parts) + "\n"


def markdown(content: Iterable[blocks.Block]) -> str:
    """The blocks as Markdown, one below the other."""
    return "\n\n".join(map(_block, content)) + "\n"


def _block(block: blocks.Block) -> str:
    match block:
        case blocks.Paragraph():
            return inline(block.text.en)
        case blocks.Heading():
            return f"### {inline(block.text.en)}"
        case blocks.Bullets():
            return "\n".join(f"- {inline(item.en)}" for item in block.items)
        case blocks.Table():
            return table([column.en for column in block.columns], block.in_english)
        case blocks.Picture():
            return f"![{inline(block.title.en)}]({block.path})"
        case blocks.Tree():
            return _block(block.picture)
        case blocks.Code():
            longest = max((len(run) for run in re.findall("`+", block.text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"{fence}toml\n{block.text.rstrip()}\n{fence}"
        case blocks.Cards():
            return _cards(block)
        case blocks.Fold():
            title = f"<details><summary>{inline(block.title.en)}</summary>"
            return f"{title}\n\n{markdown(block.blocks)}\n</details>"
        case blocks.Live():
            return "\n\n".join(map(_block, block.stills))


def _alert(alert: blocks.Alert) -> str:
    text = inline(alert.text.en)
    return f"**{text}**" if alert.serious else text


def _cards(block: blocks.Cards) -> str:
    paragraphs = []
    for card in block.cards:
        lines = [f"**{inline(card.title.en)}: {inline(card.answer.en)}**", ""]
        lines += [f"- {inline(label.en)}: {inline(value.en)}" for label, value in card.figures]
        lines += [f"- {_alert(alert)}" for alert in card.alerts]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)
