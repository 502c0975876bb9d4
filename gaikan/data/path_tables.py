"""Tables of paths, `path,label[,fmode][,group]`: which file each row means. Base install only."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gaikan.data.columns import NOTHING, Asked, named
from gaikan.data.csv_files import CsvFile
from gaikan.data.image_files import Opener, opener, refusing
from gaikan.data.listing import LeftOut, images_in
from gaikan.data.names import check_text
from gaikan.errors import DataError, shown

PATHS = ("path", "image_id")  # columns that lead to images; `image_id` is Kaggle's


def path_column(file: CsvFile, asked: Asked = NOTHING) -> str | None:
    """The column that leads to the images; None where the file holds their pixels."""
    if asked.image is not None:
        return named(asked.image, file.names, "--image-column", str(file.path))
    if "data0" in file.names:
        return None
    return next((name for name in PATHS if name in file.names), None)


def openers_in_csv(file: CsvFile, asked: Asked = NOTHING) -> Iterator[tuple[str, Opener]]:
    """The images that a CSV file of paths names, as `Finder.openers`. Raises DataError."""
    column = path_column(file, asked)
    if column is None:
        raise DataError(f"{file.path}: no column 'path' or 'image_id'")
    place = file.names.index(column)
    finder = Finder(file.path.parent, str(file.path), column)
    return finder.openers(row[place] for row in file.rows())


@dataclass
class Finder:
    """Finds the files that a table names: relative to `folder`, or by name below it."""

    folder: Path
    source: str
    column: str
    first_row: int = 0  # in messages
    _by_name: dict[str, list[str]] | None = field(default=None, repr=False)

    def openers(self, cells: Iterable[str | None]) -> Iterator[tuple[str, Opener]]:
        """The file of each row and what reads it; of a row without one, what says so."""
        for place, cell in enumerate(cells):
            try:
                (path,) = self.all([cell], place)
            except DataError as error:
                yield str(self.folder / (cell or "")), refusing(error)
            else:
                yield str(path), opener(path)

    def all(self, cells: Sequence[str | None], first: int = 0) -> list[Path]:
        """The file of each row, from `first` on. Raises DataError that counts those without one."""
        found = [self._file(cell) for cell in cells]
        missing = [row for row, path in enumerate(found) if path is None]
        if missing:
            cell, row = cells[missing[0]], self.first_row + first + missing[0]
            where = f"{self.source}: column {shown(self.column)}"
            if not cell:
                raise DataError(f"{where}, row {row}: the cell is empty")
            n = f"{len(missing)} of {len(cells)} rows lead" if len(missing) > 1 else "a row leads"
            raise DataError(
                f"{where}: {n} to no file, row {row} to {shown(cell)} (looked for in "
                f"{self.folder}); mend the path, or put the images there"
            )
        files = [path for path in found if path is not None]
        for path in files:
            check_text(str(path), self.source)
        return files

    def _file(self, cell: str | None) -> Path | None:
        if not cell or "\0" in cell:
            return None
        if self.column == "image_id":
            return self._below(cell)
        for text in (cell, cell.replace("\\", "/")):  # a path as Windows writes it
            path = os.path.normpath(self.folder / text)
            if os.path.isfile(path):  # noqa: PTH113 - no error where the name is too long
                return Path(path)
        return None

    def _below(self, name: str) -> Path | None:
        """The only image below the folder of that name, with its ending or without.

        Raises DataError where there are two.
        """
        if self._by_name is None:
            self._by_name = {}
            for path in images_in(self.folder, LeftOut()):
                file = Path(path)
                for key in {file.name, file.stem}:
                    self._by_name.setdefault(key, []).append(path)
        found = self._by_name.get(name, [])
        if len(found) > 1:
            raise DataError(
                f"{self.source}: column {shown(self.column)}: {shown(name)} is {found[0]} and "
                f"{found[1]}; give a column 'path' instead"
            )
        return Path(found[0]) if found else None
