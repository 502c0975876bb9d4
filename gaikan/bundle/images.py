"""Images as a stream: files, folders and frame tables, a batch at a time, in constant memory."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

from gaikan.bundle.card import Card
from gaikan.bundle.image_batch import ImageBatch, fitted
from gaikan.bundle.table_batches import is_hub, n_rows, table_batches
from gaikan.data.columns import Asked
from gaikan.data.csv_files import open_csv
from gaikan.data.image_files import Opener, opener, refusing
from gaikan.data.listing import ENDINGS, LeftOut, images_in, parquet_files_in
from gaikan.data.names import check_text
from gaikan.data.path_tables import openers_in_csv, path_column
from gaikan.errors import DataError

STDIN = Path("-")  # names of files, one a line


def read_batches(
    paths: Iterable[Path],
    card: Card,
    batch_size: int,
    left_out: LeftOut | None = None,
    image_column: str | None = None,
) -> Iterator[ImageBatch]:
    """The images of files, folders (with subfolders, in the order of their names) and tables.

    What a folder holds that is not read is counted in `left_out`. `image_column` names the column
    of tables that have several of images or paths. A file that cannot be read is `unread` in its
    batch. Raises DataError naming file, column or row of what is wrong with the source as a whole;
    at once where a path is not there.
    """
    paths = list(paths)
    for path in paths:
        if not path.exists() and not is_hub(path) and path != STDIN:
            raise DataError(f"{path}: no such file or folder")
    sources = _Sources(Asked(image=image_column), LeftOut() if left_out is None else left_out)
    return _read(paths, card, batch_size, sources)


def _read(
    paths: list[Path], card: Card, batch_size: int, sources: "_Sources"
) -> Iterator[ImageBatch]:
    empty = True
    for batch in _batches(paths, card, batch_size, sources):
        empty = False
        yield batch
    if empty:
        raise DataError(f"{paths[0]}: no images in it" if paths else "no images given")


@dataclass(frozen=True)
class _Sources:
    """How sources are read; counts what is left out of them."""

    asked: Asked
    left_out: LeftOut

    def tables_apart(self, paths: Iterable[Path]) -> Iterator[Path]:
        """The paths, with the part files of a folder that holds a table in its place."""
        for path in paths:
            parts, others = parquet_files_in(path) if path.is_dir() else ([], LeftOut())
            if parts:
                self.left_out.add(others)
            yield from parts or [path]

    def is_table(self, path: Path) -> bool:
        """Whether the pixels are in it: a CSV file of paths stands for files."""
        if is_hub(path) or path.is_dir():
            return is_hub(path) or (path / "state.json").is_file()
        kind = path.suffix.lower()
        return kind == ".parquet" or (
            kind == ".csv" and path_column(open_csv(path), self.asked) is None
        )

    def files_of(self, path: Path) -> Iterator[tuple[str, Opener]]:
        """The file itself, all images below a folder, or those that a CSV file or stdin names."""
        if path == STDIN:
            names = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
            yield from ((name, _opener_of_text(name)) for name in names if name)
        elif path.suffix.lower() == ".csv" and not path.is_dir():
            yield from openers_in_csv(open_csv(path), self.asked)
        elif not path.is_dir():
            yield str(path), opener(path)
        else:
            n_files = 0
            for n_files, file in enumerate(images_in(path, self.left_out), start=1):  # noqa: B007
                yield file, _opener_of_text(file)
            if not n_files:
                raise DataError(f"{path}: no images in this folder ({', '.join(sorted(ENDINGS))})")


def _batches(
    paths: list[Path], card: Card, batch_size: int, sources: _Sources
) -> Iterator[ImageBatch]:
    for are_tables, in_a_row in groupby(sources.tables_apart(paths), sources.is_table):
        if are_tables:
            for path in in_a_row:
                yield from table_batches(path, card, batch_size, sources.asked)
        else:
            files = chain.from_iterable(map(sources.files_of, in_a_row))
            while chunk := list(islice(files, batch_size)):
                names, openers = zip(*chunk, strict=True)
                yield fitted([*names], openers, card)


def count(paths: Sequence[Path], image_column: str | None = None) -> int | None:
    """The number of images, without reading them; None where stdin names them.

    Raises DataError on a damaged table.
    """
    if STDIN in paths:
        return None
    sources = _Sources(Asked(image=image_column), LeftOut())
    return sum(_count(path, sources) for path in sources.tables_apart(paths))


def _count(path: Path, sources: _Sources) -> int:
    if sources.is_table(path):
        return n_rows(path)
    return sum(1 for _ in sources.files_of(path))


def _opener_of_text(file: str) -> Opener:
    """What reads the file, or says that its name is not text."""
    try:
        check_text(file, "image")
    except DataError as error:
        return refusing(error)
    return opener(file)
