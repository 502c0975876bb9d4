"""What a reader of a page in Japanese sees, its drawings included, and what of it is English."""

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

_DRAWING = "data:image/svg+xml;base64,"
_NO_TEXT = {"script", "style", "pre", "code", "title"}  # code and commands are what they are
_EMPTY = {"img", "meta", "input", "br", "link"}


class _Seen(HTMLParser):
    """Collects the texts of a page that is shown in Japanese."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []  # of each open element, whether its text is seen
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        other = tag == "span" and values.get("lang") == "en"
        seen = all(self.open[-1:]) and not other and tag not in _NO_TEXT
        source = values.get("src") or ""
        if tag == "img" and seen and source.startswith(_DRAWING):
            self.texts += _drawn(base64.b64decode(source.removeprefix(_DRAWING)))
        if tag not in _EMPTY:
            self.open.append(seen)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if all(self.open[-1:]) and data.strip():
            self.texts.append(" ".join(data.split()))


def _drawn(picture: bytes) -> list[str]:
    root = ElementTree.fromstring(picture)
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


def seen_in_japanese(page: str) -> list[str]:
    """The texts of the page, one by one."""
    parser = _Seen()
    parser.feed(page)
    assert not parser.open
    return parser.texts


def english_in(texts: list[str], names: set[str]) -> dict[str, str]:
    """Words of Latin letters that are no option and none of `names`, each with a text of it."""
    found: dict[str, str] = {}
    for text in texts:
        rest = re.sub(r"`[^`]*`|--[a-z-]+", " ", text)
        for word in re.findall(r"[A-Za-z]{2,}", rest):
            if word.lower() not in names:
                found.setdefault(word, text)
    return found
