"""Images as a stream: files, folders and frame tables, a batch at a time, in constant memory."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from gaikan.bundle.card import Card
from gaikan.data.folders import DEEP, ENDINGS, open_image, pixels
from gaikan.data.frames import Images
from gaikan.errors import DataError, first_line

_READ_BYTES = 4096  # of each column at a time; a table has a thousand columns
_READ_COLUMNS = 16  # decoded at a time: a page of up to 1 MB is held for each
_HELD_PIXELS = 2**25  # of the rows that are held at a time


@dataclass(frozen=True)
class ImageBatch:
    """Images (N, C, H, W) as the bundle takes them, and how many were changed for that."""

    names: list[str]  # where each image comes from
    images: Images
    resized: int = 0
    converted: int = 0  # from colour to grey or the other way


def read_batches(paths: Iterable[Path], card: Card, batch_size: int) -> Iterator[ImageBatch]:
    """The images of files, folders (with subfolders, in the system's order) and `.parquet` tables.

    Raises DataError naming file, column or row; at once where a path is not there.
    """
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
    return _read(paths, card, batch_size)


def _read(paths: list[Path], card: Card, batch_size: int) -> Iterator[ImageBatch]:
    empty = True
    for batch in _batches(paths, card, batch_size):
        empty = False
        yield batch
    if empty:
        raise DataError(f"{paths[0]}: no images in it" if paths else "no images given")


def _batches(paths: list[Path], card: Card, batch_size: int) -> Iterator[ImageBatch]:
    for are_tables, in_a_row in groupby(paths, lambda path: path.suffix.lower() == ".parquet"):
        if are_tables:
            for path in in_a_row:
                yield from _table(path, card, batch_size)
        else:
            files = chain.from_iterable(map(_files_of, in_a_row))
            while chunk := list(islice(files, batch_size)):
                yield _files(chunk, card)


def count(paths: Iterable[Path]) -> int:
    """How many images there are, without reading them. Raises DataError on a damaged table."""
    return sum(
        _open_table(path).metadata.num_rows
        if path.suffix.lower() == ".parquet"
        else sum(1 for _ in _files_of(path))
        for path in paths
    )


def _files_of(path: Path) -> Iterator[str]:
    """The path of a file, or of all images in and below a folder: its own first, by name.

    Memory holds the names in one folder at a time, and those of folders still to be read.
    """
    if not path.is_dir():
        yield str(path)
        return
    folders, n_files = [str(path)], 0
    while folders:
        with os.scandir(folders.pop()) as unsorted:
            entries = sorted(unsorted, key=lambda entry: entry.name)
        subfolders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                subfolders.append(entry.path)
            elif entry.name[entry.name.rfind(".") :].lower() in ENDINGS:
                n_files += 1
                yield entry.path
        folders += reversed(subfolders)
    if not n_files:
        raise DataError(f"{path}: no images in this folder ({', '.join(sorted(ENDINGS))})")


def _files(names: list[str], card: Card) -> ImageBatch:
    channels, height, width = card.shape
    mode = "RGB" if channels == 3 else "F" if card.dtype == "float32" else "L"
    images: Any = np.empty((len(names), *card.shape), card.dtype)
    resized = converted = 0
    for filled, name in zip(images, names, strict=True):
        image = open_image(Path(name))
        if image.mode in DEEP and card.dtype == "uint8":
            raise DataError(
                f"{name}: more than 8 bits a pixel, but the model was trained on 8; convert it"
            )
        resized += image.size != (width, height)
        converted += (image.mode in ("L", "LA", "1", *DEEP)) != (channels == 1)
        values = pixels(image, mode, (height, width))
        filled[...] = values if channels == 1 else values.transpose(2, 0, 1)
    return ImageBatch(names, images, resized, converted)


def _open_table(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise DataError(f"{path}: reading parquet needs pyarrow: pip install pyarrow") from None
    try:
        table = parquet.ParquetFile(path, buffer_size=_READ_BYTES)
        _ = table.schema_arrow.names  # decodes them, so that an error shows here
        return table
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _table(path: Path, card: Card, batch_size: int) -> Iterator[ImageBatch]:
    from gaikan.data.tables import pixel_columns

    source = str(path)
    table = _open_table(path)
    names = table.schema_arrow.names
    columns = pixel_columns(names, source)
    repeated = [name for name in columns if names.count(name) > 1]
    if repeated:
        raise DataError(f"{path}: column {repeated[0]!r} occurs more than once")
    channels, height, width = card.shape
    if channels != 1 or len(columns) != height * width:
        raise DataError(
            f"{path}: {len(columns)} pixel columns, but the model takes images of "
            f"{channels} x {height} x {width}"
        )
    import pyarrow as pa

    n_held = max(batch_size, _HELD_PIXELS // len(columns) // batch_size * batch_size)
    first = 0
    try:
        for group in range(table.num_row_groups):
            n_rows = table.metadata.row_group(group).num_rows
            for start in range(0, n_rows, n_held):
                rows = range(start, min(start + n_held, n_rows))
                images = _rows(table, group, rows, columns, card.dtype, source, first)
                for i in range(0, len(rows), batch_size):
                    batch = images[i : i + batch_size].reshape(-1, *card.shape)
                    origins = [f"{path}:{first + i + j}" for j in range(len(batch))]
                    yield ImageBatch(origins, batch)
                first += len(rows)
                del images, batch  # free before the next are read
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _rows(
    table: Any, group: int, rows: range, columns: list[str], dtype: str, source: str, first: int
) -> Images:
    """Images (N, pixels) of `rows` of a row group; `first` is the number of the first in the file.

    A few columns are read at a time: a page of each, up to a megabyte, is decoded as a whole.
    """
    from gaikan.data.tables import pixels_as

    images: Images = np.empty((len(rows), len(columns)), dtype)
    for i in range(0, len(columns), _READ_COLUMNS):
        names = columns[i : i + _READ_COLUMNS]
        part = table.read_row_group(group, names, use_threads=False).slice(rows.start, len(rows))
        images[:, i : i + len(names)] = pixels_as(images.dtype.type, part, names, source, first)
    return images
