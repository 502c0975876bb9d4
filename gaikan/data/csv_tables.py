"""Frames of a CSV file: one of paths, or one of pixels."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from gaikan.data.annotations import Annotations
from gaikan.data.columns import OPTIONAL, Asked, is_pixel, label_column
from gaikan.data.csv_files import CsvFile
from gaikan.data.folders import frames_of_files
from gaikan.data.frames import Frames, Names
from gaikan.data.names import check_name, composed
from gaikan.data.path_tables import PATHS, Finder, path_column
from gaikan.data.tables import frames_from_table
from gaikan.errors import DataError, shown
from gaikan.language.words import Words, say

Size = tuple[int, int] | None
_DECIMAL_COMMA = r"^\s*[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?\s*$"
_THOUSANDS = r"^\s*[+-]?([1-9]\d{0,2}(,\d{3})+|\d+)\s*$"


def frames_from_csv(file: CsvFile, source: str, size: Size, asked: Asked) -> Frames:
    """The images of a CSV file; its texts are taken as they are written."""
    image = path_column(file, asked)
    if image is not None:
        return _frames_of_paths(file, image, source, size, asked)
    table, notes = read_pixel_csv(file)
    return frames_from_table(table, source, size, asked, [*file.notes, *notes])


def _frames_of_paths(file: CsvFile, image: str, source: str, size: Size, asked: Asked) -> Frames:
    may_be = [name for name in file.names if name not in (image, *PATHS, *OPTIONAL)]
    label, notes = label_column(file.names, may_be, asked, source)
    rows = list(file.rows())
    if not rows:
        raise DataError(f"{source}: the table has no rows")
    columns = dict(zip(file.names, zip(*rows, strict=True), strict=True))
    files = Finder(file.path.parent, source, image).all(columns[image])
    told = Annotations(
        labels=_names(columns[label], label, source),
        modes=_names(columns["fmode"], "fmode", source) if "fmode" in columns else None,
        groups=_names(columns["group"], "group", source) if "group" in columns else None,
    )
    return frames_of_files(files, told, source, size, [*file.notes, *notes])


def _names(cells: tuple[str, ...], column: str, source: str) -> Names:
    for row, cell in enumerate(cells):
        if not cell and column != "fmode":
            raise DataError(f"{source}: column {shown(column)}, row {row}: the cell is empty")
    unique = {cell: composed(cell) for cell in set(cells)}
    for cell in unique:
        check_name(cell, f"{source}: column {shown(column)}")
    return np.asarray([unique[cell] for cell in cells], np.str_)


def read_pixel_csv(file: CsvFile) -> tuple[Any, list[Words]]:
    """The file as an Arrow table, and what is to be said of it. Raises DataError."""
    table = _read(file)
    pixels = [name for name in file.names if is_pixel(name)]
    texts = [name for name in pixels if pa.types.is_string(table.column(name).type)]
    if not texts or not all(_all_match(table.column(name), _DECIMAL_COMMA) for name in texts):
        return table, []
    if all(_all_match(table.column(name), _THOUSANDS) for name in texts):
        first = table.column(texts[0])[0].as_py()
        raise DataError(
            f"{file.path}: column {shown(texts[0])}: a comma in {shown(first)} may part thousands "
            "or decimals; write numbers without thousands separators"
        )
    return _read(file, decimal=","), [say("csv_decimal_commas", file=file.path.name)]


def _all_match(column: Any, pattern: str) -> bool:
    found = pc.all(pc.match_substring_regex(column, pattern)).as_py()
    return found is None or bool(found)


def _read(file: CsvFile, decimal: str = ".", threads: bool = True) -> Any:
    texts = [name for name in file.names if not is_pixel(name)]
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(texts, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
        decimal_point=decimal,
    )
    read = csv.ReadOptions(
        encoding=file.encoding.removesuffix("-sig").replace("utf-8", "utf8"),
        column_names=None if file.has_header else list(file.names),
        use_threads=threads,
    )
    try:
        return csv.read_csv(
            file.path,
            read_options=read,
            parse_options=csv.ParseOptions(delimiter=file.separator),
            convert_options=convert,
        )
    except (pa.ArrowException, OSError, UnicodeError) as error:
        if threads and "Expected" in str(error):
            return _read(file, decimal, threads=False)  # which counts its rows
        raise DataError(f"{file.path}: not a readable CSV file ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", line)
    if ragged is None:
        return line[:200]
    return f"line {ragged[1]} has {ragged[3]} cells, the first {ragged[2]}; mend that line"
