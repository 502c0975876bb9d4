"""Names of classes, failure modes and lots: one form, and which look alike."""

import unicodedata
from collections.abc import Iterable, Sequence

from gaikan.data.limits import LONGEST_NAME
from gaikan.errors import DataError
from gaikan.language.words import Words, say

_TOLD = 5  # sets of names that look alike: lots may be thousands


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): a Mac writes the same letters in another one."""
    return unicodedata.normalize("NFC", name)


def check_name(name: str, where: str) -> None:
    """Raises DataError where `name` is too long or is not text."""
    if len(name) > LONGEST_NAME:
        raise DataError(
            f"{where} has a text of {len(name)} characters; a name has at most {LONGEST_NAME}"
        )
    check_text(name, where)


def check_text(name: str, where: str) -> None:
    """Raises DataError where a file's or folder's name is bytes in another encoding."""
    if any("\ud800" <= c <= "\udfff" for c in name):
        raise DataError(
            f"{where}: the name {name} is not in UTF-8, as of an archive from Windows; rename it, "
            "or unpack again (unzip -O cp932)"
        )


def alike(kind: str, names: Iterable[str]) -> list[Words]:
    """A note for each of the first sets of names that differ in case, width or spaces only.

    `kind` is what they are the names of: classes, modes, lots. Notes are in the order of names.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        found.setdefault(_looks(name), []).append(name)
    sets = [some for some in found.values() if len(some) > 1]
    n_more = len(sets) - _TOLD
    kinds = say(f"kind_{kind}")
    more = [say("names_alike_more", n=n_more, kind=kinds)] if n_more > 0 else []
    return [told_alike(kind, some) for some in sets[:_TOLD]] + more


def look_alike(name: str, others: Sequence[str]) -> list[str]:
    """Those of `others` that differ from `name` in case, width or spaces only."""
    return [other for other in others if other != name and _looks(other) == _looks(name)]


def told_alike(kind: str, names: Sequence[str]) -> Words:
    """What is said of names that look alike."""
    return say("names_alike", kind=say(f"kind_{kind}"), names=tuple(map(repr, names)))


def _looks(name: str) -> str:
    """The name without what the eye does not see: case, width, spaces, and marks of no width."""
    if name.isascii():
        return " ".join(name.casefold().split())
    plain = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())
