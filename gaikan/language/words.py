"""Text in English and Japanese: a key of a table of strings, with what fills it.

What made a text and who reads it need not meet: a run's files keep key and figures, and a page or a
terminal words them in its own language. Needs nothing but Python.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Union, get_args

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Filling = Union[str, int, float, None, "Words", tuple[Union["Words", str], ...]]


@dataclass(frozen=True)
class Words:
    """A string of the tables with its {names} filled in; None fills what this text has no use for.

    Whatever exists can be said: raises ValueError where there is no such string, or where it wants
    other values.
    """

    key: str
    values: dict[str, Filling] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.key not in strings():
            raise ValueError(f"no text {self.key[:80]!r}")
        try:
            _ = self.en, self.ja
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            raise ValueError(f"text {self.key!r} wants other values") from None

    @cached_property
    def en(self) -> str:
        """In English."""
        return self.said("en")

    @cached_property
    def ja(self) -> str:
        """In Japanese."""
        return self.said("ja")

    def said(self, language: Language) -> str:
        """The text in a language."""
        template = strings()[self.key][LANGUAGES.index(language)]
        return template.format(**{n: _filled(v, language) for n, v in self.values.items()})


def _filled(value: Filling, language: Language) -> str | int | float | None:
    """What fills a {name}; several texts stand as a list: "a, b and c"."""
    if isinstance(value, tuple):
        comma, last = (strings()[key][LANGUAGES.index(language)] for key in ("comma", "and"))
        texts = [said(each, language) for each in value]
        return last.join([comma.join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
    return value.said(language) if isinstance(value, Words) else value


def packed(words: Words) -> str:
    """The words as a cell of a table: text that is plain as it is, else key and values as JSON."""
    if words.key == "plain":
        return str(words.values["text"])
    return json.dumps(_kept(words), ensure_ascii=False)


def unpacked(cell: str) -> Words:
    """Words from such a cell; what is none of ours is plain text."""
    try:
        words = _restored(json.loads(cell))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return plain(cell)
    return words if isinstance(words, Words) else plain(cell)


def _kept(value: Filling) -> object:
    """As JSON has it."""
    if isinstance(value, Words):
        return {"key": value.key, "values": {n: _kept(v) for n, v in value.values.items()}}
    return [_kept(each) for each in value] if isinstance(value, tuple) else value


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return Words(value["key"], {n: _restored(v) for n, v in value["values"].items()})
    return tuple(map(_restored, value)) if isinstance(value, list) else value


def said(text: str | Words, language: Language) -> str:
    """The text in a language; what is no `Words` is the same in all of them."""
    return text.said(language) if isinstance(text, Words) else text


def plain(text: str) -> Words:
    """Text that is the same in all languages: a name, a figure, a program's own message."""
    return Words("plain", {"text": text})


def say(key: str, /, **values: Filling) -> Words:
    """The string `key` with its {names} filled in."""
    return Words(key, values)


def joined(texts: Iterable[Words], between: Words | None = None) -> Words:
    """The texts in a row, with `between` between them; without it, as sentences."""
    row, *others = [*texts] or [plain("")]
    for text in others:
        row = say("in_a_row", first=row, between=between or say("space"), then=text)
    return row


def threads_said(threads: int | None) -> Words:
    """How many threads a runtime has, in words; None is a GPU."""
    if threads is None:
        return say("on_gpu")
    return say("one_thread") if threads == 1 else say("n_threads", n=threads)


def placed(label: str, threads: int | None) -> Words:
    """A runtime and its threads; a GPU has none."""
    if threads is None:
        return plain(label)
    return joined([plain(label), threads_said(threads)], say("comma"))


@cache
def strings() -> dict[str, list[str]]:
    """All tables of strings in one: by key, the text in each language."""
    texts: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        texts |= tomllib.loads(path.read_text(encoding="utf-8"))
    return texts
