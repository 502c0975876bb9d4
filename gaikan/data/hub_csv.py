"""CSV files of a data set on the hub, read as local ones are.

`datasets` would take `01` for 1, `NA` for nothing, `;` for a part of a name, and no encoding but
UTF-8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gaikan.errors import DataError, first_line
from gaikan.language.words import Words

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CsvSplit:
    """One split: the files of it, by their URLs."""

    urls: tuple[str, ...]


def csv_splits(builder: Any) -> dict[str, CsvSplit]:
    """The splits of a data set of CSV files, by name; nothing is read yet."""
    return {str(name): CsvSplit(tuple(urls)) for name, urls in builder.config.data_files.items()}


def read_csv_split(split: CsvSplit, source: str) -> "tuple[pa.Table, list[Words]]":
    """All files as one table, and what is to be said of how they are written. Raises DataError."""
    import datasets
    import pyarrow as pa

    paths = datasets.DownloadManager().download_and_extract(list(split.urls))
    names = [PurePosixPath(url).name for url in split.urls]
    tables: list[pa.Table] = []
    notes: list[Words] = []
    for path, name in zip(map(Path, paths), names, strict=True):
        try:
            table, said = _read(path)
        except DataError as error:
            raise DataError(f"{source}: {str(error).replace(str(path), name)}") from None
        if tables and table.column_names != tables[0].column_names:
            raise DataError(
                f"{source}: {name} has other columns than {names[0]}; all files of a split must "
                "be alike"
            )
        tables.append(table)
        notes += [Words(note.key, note.values | {"file": name}) for note in said]
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:  # numbers in one file, text in another
        raise DataError(
            f"{source}: its files do not make one table ({first_line(error)})"
        ) from None
    if not whole.num_rows:
        raise DataError(f"{source}: the data set has no rows")
    return whole, notes


def _read(path: Path) -> "tuple[pa.Table, Sequence[Words]]":
    from gaikan.data.csv_files import open_csv
    from gaikan.data.csv_tables import read_pixel_csv

    file = open_csv(path)
    table, notes = read_pixel_csv(file)
    return table, [*file.notes, *notes]
