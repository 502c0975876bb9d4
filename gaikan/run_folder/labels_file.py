"""`labels.csv`: the parts whose label a person should look at, for this person to work through."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from gaikan.data.corrections import TRAIN, filled_in
from gaikan.data.csv_files import open_csv
from gaikan.errors import ConfigError, DataError
from gaikan.system.files import write

LABELS, LABELS_PAGE = "labels.csv", "labels.html"
YES = "yes"


@dataclass(frozen=True)
class DoubtedPart:
    """A row of the table: a part, its label, and the class that networks see instead."""

    part: str  # train or test
    row: int  # of the source
    image: str  # `Frames.place` of the part
    label: str
    doubted: str  # YES, or empty: comes next after the doubted ones
    proposed: str  # empty where nothing is proposed any more
    sure: str  # probability of `proposed`, in 0..1
    validation: str = ""  # seeds whose validation part it is in, with spaces between
    correct: str = ""  # what a person writes: the class that it truly is


def refuse_filled(out: Path) -> None:
    """Raises ConfigError where a person has worked on the table in `out`: it is not replaced.

    A table that cannot be read may hold such work, too.
    """
    path = out / LABELS
    if not path.exists():
        return
    try:
        filled = filled_in(path).filled
    except DataError as error:
        raise ConfigError(f"{error}; it would be replaced: move it away") from None
    if filled:
        raise ConfigError(
            f"{path}: holds corrections, and would be replaced; move it away, and name it in "
            "[data] corrections"
        )


def count_doubted(out: Path) -> int | None:
    """How many doubted training labels of the table in `out` nobody has looked at yet.

    None where it is not there. It may be saved by a spreadsheet. Raises DataError naming file and
    column.
    """
    path = out / LABELS
    if not path.is_file():
        return None
    file = open_csv(path)
    needed = ("part", "doubted", "correct")
    for column in needed:
        if column not in file.names:
            raise DataError(
                f"{path}: column {column!r} is missing; move it away, and `gaikan labels` writes a "
                "new one"
            )
    places = [file.names.index(column) for column in needed]
    told = ([cells[place].strip() for place in places] for cells in file.rows())
    return sum(row == [TRAIN, YES, ""] for row in told)


def write_labels(out: Path, rows: Sequence[DoubtedPart]) -> None:
    """Writes the table, with the mark by which spreadsheets know UTF-8. Raises UnwritableError."""
    content = io.StringIO()
    table = csv.writer(content, lineterminator="\n")
    table.writerow(field.name for field in fields(DoubtedPart))
    table.writerows(astuple(row) for row in rows)
    write(out / LABELS, content.getvalue().encode("utf-8-sig"))
