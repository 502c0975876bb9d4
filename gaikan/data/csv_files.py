"""CSV files as programs and spreadsheets write them: encoding, separator and header are found."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gaikan.data.columns import LABEL, OPTIONAL, is_pixel, refuse_repeated
from gaikan.data.listing import is_image
from gaikan.errors import DataError, shown
from gaikan.language.words import Words, say
from gaikan.system.encoding import encoding_of

_SEPARATORS = (",", ";", "\t", "|")
_NAMES = {LABEL, *OPTIONAL, "path", "image_id"}
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?").fullmatch
_SAMPLE = 20  # lines that must have as many cells as the first, where no name tells


@dataclass(frozen=True)
class CsvFile:
    """What must be known of a CSV file to read it; `notes` say what is not usual."""

    path: Path
    encoding: str
    separator: str
    names: tuple[str, ...]  # of the columns
    has_header: bool
    notes: tuple[Words, ...]

    def rows(self) -> Iterator[list[str]]:
        """The cells of each row. Raises DataError naming a line of more or fewer cells."""
        with _readable(self.path), self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            filled = (row for row in reader if row)
            for row in islice(filled, int(self.has_header), None):
                if len(row) != len(self.names):
                    raise DataError(
                        f"{self.path}: line {reader.line_num} has {len(row)} cells, the first "
                        f"{len(self.names)}; mend that line"
                    )
                yield row


def open_csv(path: Path, header: str = "data0,data1,...,label") -> CsvFile:
    """Finds out how a file is to be read; `header` is one that such a file could have.

    Raises DataError where it is not certain.
    """
    try:
        encoding = encoding_of(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable CSV file: {error}") from None
    file, notes = path.name, list[Words]()
    if encoding in ("cp932", "utf-16"):
        notes.append(say("csv_encoding", file=file, encoding=encoding))
    separator, first = _separator(path, encoding)
    if separator != ",":
        tab = separator == "\t"
        sign = say("separator_tab") if tab else say("separator_other", sign=separator)
        notes.append(say("csv_separator", file=file, separator=sign))
    names = tuple(first)
    has_header = any(map(_is_known, first)) or not (_is_part(first) or any(map(_NUMBER, first)))
    if not has_header:
        names = _names_without_header(path, first, header)
        shortened = ", ".join(names) if len(names) < 5 else f"{names[0]} ... {names[-1]}"
        notes.append(say("csv_no_header", file=file, columns=shortened))
    refuse_repeated(names, str(path))
    return CsvFile(path, encoding, separator, names, has_header, tuple(notes))


def _separator(path: Path, encoding: str) -> tuple[str, list[str]]:
    """The separator and the cells of the first row.

    By the names in the header; without them a tab, `;`, `|` or `,`, in this order, at which all
    rows divide alike: numbers may have a comma within.
    """
    firsts = {each: _first_rows(path, encoding, each) for each in _SEPARATORS}
    if not firsts[","]:
        raise DataError(f"{path}: the file is empty")
    known = {each: sum(map(_is_known, rows[0])) for each, rows in firsts.items()}
    best = max(known, key=lambda each: known[each])
    if known[best]:
        return best, firsts[best][0]
    for each in ("\t", ";", "|", ","):
        if {len(row) for row in firsts[each]} - {1} == {len(firsts[each][0])}:
            return each, firsts[each][0]
    return ",", firsts[","][0]


def _first_rows(path: Path, encoding: str, separator: str) -> list[list[str]]:
    with _readable(path), path.open(encoding=encoding, newline="") as file:
        filled = (row for row in csv.reader(file, delimiter=separator) if row)
        return list(islice(filled, _SAMPLE))


def _is_known(name: str) -> bool:
    return name in _NAMES or is_pixel(name)


def _is_part(row: list[str]) -> bool:
    return any(map(is_image, row))


def _names_without_header(path: Path, first: list[str], header: str) -> tuple[str, ...]:
    """Names where the columns can be meant in one way only. Raises DataError."""
    if _is_part(first):
        images = [i for i, cell in enumerate(first) if is_image(cell)]
        if len(first) == 2 and len(images) == 1:
            return ("path", "label") if images == [0] else ("label", "path")
        raise DataError(f"{path}: has no header line; put one first: path,label,fmode,group")
    texts = [i for i, cell in enumerate(first) if not _NUMBER(cell)]
    counted = [cell for cell in first if _NUMBER(cell)] == [str(i) for i in range(len(first) - 1)]
    if counted or len(texts) != 1 or texts[0] not in (0, len(first) - 1):
        raise DataError(
            f"{path}: has no header line that names the columns (the first is "
            f"{shown(','.join(first[:4]))[:60]}); put one first: {header}"
        )
    pixels = [f"data{i}" for i in range(len(first) - 1)]
    return ("label", *pixels) if texts == [0] else (*pixels, "label")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path}: not a readable CSV file ({error})") from None
