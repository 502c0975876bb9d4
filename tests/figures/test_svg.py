"""Drawings have their texts in both languages; a file shows English, a page either."""

from xml.etree import ElementTree

import pytest

from gaikan.figures.svg import Drawing, in_language, width_of
from gaikan.language.words import Language, plain, say

SVG = "{http://www.w3.org/2000/svg}"


def drawing() -> str:
    picture = Drawing(100, 50, plain("t"))
    picture.text(0, 10, say("tree_anchor"))
    picture.text(0, 30, "cnn <&>")
    return picture.to_svg()


def texts(picture: str) -> list[tuple[str | None, str | None]]:
    """Each text and how it is displayed, of a file that any reader of XML takes."""
    return [
        (text.text, text.get("display"))
        for text in ElementTree.fromstring(picture).iter(f"{SVG}text")
    ]


def test_the_file_shows_english_alone() -> None:
    assert texts(drawing()) == [("anchor", None), ("アンカー", "none"), ("cnn <&>", None)]


@pytest.mark.parametrize(("language", "word"), [("en", "anchor"), ("ja", "アンカー")])
def test_a_page_shows_either_language(language: Language, word: str) -> None:
    assert texts(in_language(drawing(), language)) == [(word, None), ("cnn <&>", None)]


def test_there_is_room_for_the_wider_language() -> None:
    words = say("tree_anchor")
    assert width_of(words) == max(width_of(words.en), width_of(words.ja))
    assert width_of(words.ja) > width_of(words.en)
