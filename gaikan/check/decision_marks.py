"""A network's decisions on all test parts as one line of text, short and readable in a diff.

"37b2": 37 parts that were classified right, one that was called class `b`, two right ones.
"""

import re
import string
from collections.abc import Iterable
from itertools import groupby

from gaikan.check.measures import Index

LETTERS = string.ascii_letters  # of the classes, by index


def encoded(predicted: Index, actual: Index) -> str:
    """The line of decisions (N,) on parts of class `actual` (N,)."""
    marks = [
        "" if p == a else LETTERS[p]
        for p, a in zip(predicted.tolist(), actual.tolist(), strict=True)
    ]
    runs = [(mark, len(list(same))) for mark, same in groupby(marks)]
    return "".join(mark * count if mark else str(count) for mark, count in runs)


def decoded(line: str, actual: Index) -> Index:
    """The decisions (N,) of a `whole` line."""
    predicted = actual.copy()
    at = 0
    for count, letter in _marks(line):
        if letter:
            predicted[at] = LETTERS.index(letter)
        at += int(count or 1)
    return predicted


def whole(line: str, parts: int, letters: Iterable[str]) -> bool:
    """Whether a line tells of so many parts and of no other class."""
    marks = _marks(line)
    known = {letter for _, letter in marks} <= {"", *letters}
    return known and sum(int(count or 1) for count, _ in marks) == parts


def _marks(line: str) -> list[tuple[str, str]]:
    """Of each run a count and "", of each wrong part "" and its letter."""
    return re.findall(r"([0-9]+)|(.)", line, re.DOTALL)
