"""Text in English and Japanese, from one table of strings."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ja")


@dataclass(frozen=True)
class Words:
    """The same text in each language of `LANGUAGES`."""

    en: str
    ja: str


def plain(text: str) -> Words:
    """Text that is the same in all languages: a name, a figure, a program's own message."""
    return Words(text, text)


def say(key: str, /, **values: object) -> Words:
    """The string `key` of `strings.toml` with its {names} replaced by text, numbers or Words."""
    texts = [
        template.format(
            **{n: getattr(v, language) if isinstance(v, Words) else v for n, v in values.items()}
        )
        for language, template in zip(LANGUAGES, strings()[key], strict=True)
    ]
    return Words(*texts)


def joined(texts: Iterable[Words], between: Words | None = None) -> Words:
    """The texts in a row, with `between` between them; without it, as sentences."""
    texts = list(texts)
    between = between or Words(" ", "")
    return Words(between.en.join(w.en for w in texts), between.ja.join(w.ja for w in texts))


def threads_said(threads: int | None) -> Words:
    """How many threads a runtime has, in words; None is a GPU."""
    if threads is None:
        return say("on_gpu")
    return say("one_thread") if threads == 1 else say("n_threads", n=threads)


@cache
def strings() -> dict[str, list[str]]:
    """The table of strings: by key, the text in each language."""
    text = Path(__file__).with_name("strings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
