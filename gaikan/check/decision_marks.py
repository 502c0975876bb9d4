"""A network's decisions on all test parts as one line of text, short and readable in a diff.

"37b2": 37 parts that were classified right, one that was called class `b`, two right ones.
"""

import re
import string
from collections.abc import Iterable
from itertools import groupby

from gaikan.check.measures import Index

LETTERS = string.ascii_letters  # by the index of the class


def encoded(predicted: Index, actual: Index) -> str:
    """The line that stands for decisions (N,) on parts of class `actual` (N,)."""
    pairs = zip(predicted.tolist(), actual.tolist(), strict=True)
    marks = ["" if p == a else LETTERS[p] for p, a in pairs]
    runs = [(mark, len(list(same))) for mark, same in groupby(marks)]
    return "".join(mark * count if mark else str(count) for mark, count in runs)


def decoded(line: str, actual: Index) -> Index:
    """The decisions (N,) that a `whole` line stands for."""
    predicted = actual.copy()
    part = 0
    for count, letter in _marks(line):
        if letter:
            predicted[part] = LETTERS.index(letter)
        part += int(count or 1)
    return predicted


def whole(line: str, parts: int, letters: Iterable[str]) -> bool:
    """Whether a line has so many `parts` and no letter but these."""
    marks = _marks(line)
    known = {letter for _, letter in marks} <= {"", *letters}
    return known and sum(int(count or 1) for count, _ in marks) == parts


def _marks(line: str) -> list[tuple[str, str]]:
    """(count, "") for right parts in a row, ("", letter) for a wrong part."""
    return re.findall(r"([0-9]+)|(.)", line, re.DOTALL)
