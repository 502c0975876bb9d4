"""What words say to an English reader."""

from collections.abc import Iterable

from gaikan.language.words import Words


def in_english(words: Iterable[Words]) -> tuple[str, ...]:
    return tuple(each.en for each in words)
