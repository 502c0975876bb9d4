"""Line drawings as SVG, written in milliseconds: `gaikan pick` cannot wait for matplotlib.

Lengths are in pixels. Text is drawn with the reader's own fonts, so widths of text are estimates,
rather too wide. A text is there in each language; the file shows English, a page either.
"""

import re
from html import escape
from unicodedata import east_asian_width

from gaikan.figures.colours import INK
from gaikan.language.words import LANGUAGES, Language, Words, said

FONTS = "'DejaVu Sans', 'Noto Sans', Verdana, 'Noto Sans CJK JP', 'Hiragino Sans', sans-serif"
SIZE = 13
_HIDDEN = ' display="none"'
_TEXT = re.compile('<text lang="(..)"([^>]*>.*?</text>)\n?')


class Drawing:
    """An SVG picture; what is added later is drawn on top."""

    def __init__(self, width: float, height: float, title: Words) -> None:
        self.width, self.height, self.title = width, height, title
        self.elements: list[str] = []

    def box(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        fill: str,
        stroke: str = "none",
        radius: float = 4,
        opacity: float = 1,
    ) -> None:
        """A rectangle with round corners; `opacity` is that of its filling, in 0..1."""
        self.elements.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{radius:g}" fill="{fill}" fill-opacity="{opacity:g}" stroke="{stroke}"/>'
        )

    def path(self, data: str, stroke: str, width: float = 1.5, dash: str = "") -> None:
        """A line; `data` is a path in SVG's notation, `dash` the lengths of strokes and gaps."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.elements.append(
            f'<path d="{data}" fill="none" stroke="{stroke}" stroke-width="{width:g}"{dashed}/>'
        )

    def outline(self, data: str, left: float, top: float, scale: float) -> None:
        """A filled shape, moved to (`left`, `top`); `data` is a path in SVG's notation."""
        transform = f"translate({left:g} {top:g}) scale({scale:g})"
        self.elements.append(f'<path d="{data}" transform="{transform}" fill="{INK}"/>')

    def area(self, data: str, fill: str) -> None:
        """A filled shape where it is; `data` is a path in SVG's notation."""
        self.elements.append(f'<path d="{data}" fill="{fill}"/>')

    def text(
        self,
        left: float,
        middle: float,
        words: str | Words,
        size: float = SIZE,
        fill: str = INK,
        anchor: str = "start",
        weight: str = "normal",
    ) -> None:
        """One line of text with the middle of its lower-case letters at `middle`."""
        texts = {language: said(words, language) for language in LANGUAGES}
        same = len({*texts.values()}) == 1
        for language, text in list(texts.items())[: 1 if same else None]:
            marked = "" if same else f' lang="{language}"{"" if language == "en" else _HIDDEN}'
            self.elements.append(
                f'<text{marked} x="{left:.1f}" y="{middle + 0.36 * size:.1f}" '
                f'font-size="{size:g}" fill="{fill}" text-anchor="{anchor}" '
                f'font-weight="{weight}">{escape(printable(text))}</text>'
            )

    def to_svg(self) -> str:
        """The file's content."""
        size = f'width="{self.width:.0f}" height="{self.height:.0f}"'
        title = escape(printable(self.title.en))
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" '
            f'aria-label="{title}" font-family="{FONTS}">\n<title>{title}</title>'
        )
        white = '<rect width="100%" height="100%" fill="#ffffff"/>'
        return "\n".join([head, white, *self.elements, "</svg>\n"])


def printable(words: str) -> str:
    """The text, with characters that are not printable written as their code point."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in words
    )


def width_of(words: str | Words, size: float = SIZE) -> float:
    """Width of a text in pixels, estimated rather too wide, in the wider language."""
    return 0.62 * size * max(_columns(said(words, language)) for language in LANGUAGES)


def _columns(text: str) -> float:
    return sum(1.75 if east_asian_width(character) in "WF" else 1 for character in text)


def in_language(picture: str, language: Language) -> str:
    """The content of such a file with the texts of one language alone."""
    return _TEXT.sub(
        lambda found: f"<text{found[2].replace(_HIDDEN, '')}\n" * (found[1] == language), picture
    )
