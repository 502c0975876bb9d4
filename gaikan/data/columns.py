"""Which column of a table is the image, and which the label."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gaikan.errors import DataError, shown
from gaikan.language.words import Words, say

LABEL = "label"
OPTIONAL = ("fmode", "group")


@dataclass(frozen=True)
class Asked:
    """The columns that the user has named; None: to be found."""

    image: str | None = None
    label: str | None = None


NOTHING = Asked()
_PIXEL = re.compile("data(0|[1-9][0-9]{0,8})").fullmatch


def is_pixel(name: str) -> bool:
    """Whether a column of that name holds one pixel of each image: `data0`, `data1`, ..."""
    return _PIXEL(name) is not None


def refuse_repeated(names: Sequence[str], source: str) -> None:
    """Raises DataError where two columns have one name."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(f"{source}: column {shown(repeated[0])} occurs more than once")


def named(name: str, names: Sequence[str], option: str, source: str) -> str:
    """`name`, which is among the columns. Raises DataError."""
    if name not in names:
        raise DataError(f"{source}: {option} {shown(name)}: there is no such column{_are(names)}")
    return name


def label_column(
    names: Sequence[str], may_be: Sequence[str], asked: Asked, source: str
) -> tuple[str, list[Words]]:
    """The column of the labels, and what is to be said of it.

    The one that was asked for, else `label`, else the only one of those that `may_be` labels.
    Raises DataError.
    """
    if asked.label is not None:
        return named(asked.label, names, "--label-column", source), []
    if LABEL in names:
        return LABEL, []
    if len(may_be) == 1:
        return may_be[0], [say("label_is_the_only_one", column=shown(may_be[0]))]
    if not may_be:
        raise DataError(f"{source}: column 'label' is missing{_are(names)}")
    raise DataError(f"{source}: which column is the label? Say --label-column NAME{_are(may_be)}")


def only_image_column(may_be: Sequence[str], source: str) -> str:
    """The only one of several. Raises DataError."""
    if len(may_be) == 1:
        return may_be[0]
    raise DataError(f"{source}: which column is the image? Say --image-column NAME{_are(may_be)}")


def _are(names: Sequence[str]) -> str:
    return f"; there are {', '.join(map(shown, names[:5]))}{' ...' if len(names) > 5 else ''}"


@dataclass(frozen=True)
class Where:
    """A column in messages, and the number of its first row."""

    column: str
    first: int

    def row(self, row: int) -> str:
        """The column and one of its rows."""
        return f"{self.column}, row {self.first + row}"
