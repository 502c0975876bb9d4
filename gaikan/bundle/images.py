"""Images as a stream: files, folders and frame tables, a batch at a time, in constant memory."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gaikan.bundle.card import Card
from gaikan.data.channels import to_channels
from gaikan.data.columns import Asked
from gaikan.data.csv_files import open_csv
from gaikan.data.frames import Images
from gaikan.data.image_files import SEVERAL, TRANSPARENT, DecodedImage, Opener, opener, refusing
from gaikan.data.listing import ENDINGS, LeftOut, images_in, parquet_files_in
from gaikan.data.names import check_text
from gaikan.data.path_tables import openers_in_csv, path_column
from gaikan.data.value_range import ValueRange
from gaikan.errors import DataError, first_line

if TYPE_CHECKING:
    from gaikan.data.shapes import Shape

STDIN = Path("-")  # names of files, one a line
_READ_BYTES = 4096  # of each column at a time; a table has a thousand columns
_READ_COLUMNS = 16  # decoded at a time: a page of up to 1 MB is held for each
_HELD_PIXELS = 2**25  # of the rows that are held at a time
CONVERTED = "converted between grey and colour to what the model takes"


@dataclass(frozen=True)
class ImageBatch:
    """Images (N, C, H, W) as the bundle takes them; counts what was changed to fit them."""

    names: list[str]  # where each image comes from; unreadable ones are among them
    images: Images  # those that could be read
    changes: Counter[str] = field(default_factory=Counter)
    unread: dict[int, str] = field(default_factory=dict)  # by index in `names`: why

    def refuse_unread(self) -> None:
        """Raises DataError where an image could not be read."""
        if self.unread:
            raise DataError(self.unread[min(self.unread)])


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
                yield from _table(path, card, batch_size, sources.asked)
        else:
            files = chain.from_iterable(map(sources.files_of, in_a_row))
            while chunk := list(islice(files, batch_size)):
                names, openers = zip(*chunk, strict=True)
                yield _fitted([*names], openers, card)


def is_hub(path: Path) -> bool:
    """Whether the source is `hub:owner/name` and no path."""
    return str(path).startswith("hub:")


def count(paths: Sequence[Path], image_column: str | None = None) -> int | None:
    """The number of images, without reading them; None where stdin names them.

    Raises DataError on a damaged table.
    """
    if STDIN in paths:
        return None
    sources = _Sources(Asked(image=image_column), LeftOut())
    return sum(_count(path, sources) for path in sources.tables_apart(paths))


def _count(path: Path, sources: _Sources) -> int:
    if not sources.is_table(path):
        return sum(1 for _ in sources.files_of(path))
    if path.suffix.lower() == ".csv" and path.is_file():
        return sum(1 for _ in open_csv(path).rows())
    n_rows: int = (
        _open_table(path).metadata.num_rows
        if path.suffix.lower() == ".parquet"
        else _whole_table(path).num_rows
    )
    return n_rows


def _opener_of_text(file: str) -> Opener:
    """What reads the file, or says that its name is not text."""
    try:
        check_text(file, "image")
    except DataError as error:
        return refusing(error)
    return opener(file)


def _fitted(names: list[str], openers: Iterable[Opener], card: Card) -> ImageBatch:
    """The images, read one by one, in the size and with the channels of the model."""
    images: Any = np.empty((len(names), *card.shape), card.dtype)
    unread: dict[int, str] = {}
    changes = Counter[str]()
    for row, (name, read) in enumerate(zip(names, openers, strict=True)):
        try:
            image = read(card.shape[1:])
        except DataError as error:
            unread[row] = str(error)
            continue
        values = image.values(card.shape[0])
        _refuse_other_depth(image, values, card, name)
        images[row - len(unread)] = values
        changes += _changes(image, card)
    return ImageBatch(names, images[: len(names) - len(unread)], changes, unread)


def _refuse_other_depth(image: DecodedImage, values: Images, card: Card, name: str) -> None:
    """Raises DataError where its numbers do not mean what the training images' did.

    Dark and bright images of 8 bits are on one scale; of more bits a camera may fill any number.
    """
    known = card.depth or ("8-bit" if card.dtype == "uint8" else None)
    if None not in (known, image.depth) and image.depth != known:
        raise DataError(
            f"{name}: {image.depth} pixels, but the model was trained on {known} ones; bring it "
            "to their depth and scale"
        )
    if card.dtype != "uint8":
        ValueRange(*card.values).refuse_far(values, name)
    elif values.dtype != np.uint8:
        raise DataError(f"{name}: its values are not {_BYTES}")


_BYTES = "whole numbers in 0..255 as the model's training images are"


def _changes(image: DecodedImage, card: Card) -> Counter[str]:
    """What was changed in an image for the model, or left out."""
    changes = {
        "resized to what the model takes": image.size != card.shape[1:],
        CONVERTED: image.is_colour != (card.shape[0] == 3),
        TRANSPARENT: image.is_transparent,
        SEVERAL: image.n_pictures > 1,
    }
    return Counter([change for change, is_made in changes.items() if is_made])


def _need(package: str, path: Path) -> None:
    """Raises DataError where a package is missing that the base install lacks."""
    if find_spec(package) is None:
        raise DataError(
            f"{path}: to read it needs {package}: pip install 'gaikan[bench]', or {package} alone; "
            "folders, image files and CSV files of paths need no more than gaikan"
        )


def _open_table(path: Path) -> Any:
    _need("pyarrow", path)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path, buffer_size=_READ_BYTES)
        _ = table.schema_arrow.names  # decodes them, so that an error shows here
        return table
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _table(path: Path, card: Card, batch_size: int, asked: Asked) -> Iterator[ImageBatch]:
    if path.suffix.lower() != ".parquet":
        yield from _held_table(path, _whole_table(path), card, batch_size, asked)
        return
    table = _open_table(path)
    from gaikan.data.image_columns import image_column

    image = image_column(table.schema_arrow, asked, str(path))
    read = _pixel_columns(path, table, card, batch_size)
    yield from read if image is None else _image_column(path, table, image, card, batch_size)


def _whole_table(path: Path) -> Any:
    """A source that is held as a whole: a CSV file of pixels, the hub, `save_to_disk`."""
    _need("pyarrow", path)
    if path.suffix.lower() == ".csv" and path.is_file():
        from gaikan.data.csv_tables import read_pixel_csv

        return read_pixel_csv(open_csv(path))[0]
    _need("datasets", path)
    if is_hub(path):
        from gaikan.data.hub import read_hub

        return read_hub(str(path))
    from gaikan.data.part_files import saved_by_datasets

    return saved_by_datasets(path, str(path))


def _held_table(
    path: Path, table: Any, card: Card, batch_size: int, asked: Asked
) -> Iterator[ImageBatch]:
    from gaikan.data.image_columns import image_column
    from gaikan.data.tables import pixels_as

    image = image_column(table.schema, asked, str(path))
    starts = range(0, table.num_rows, batch_size)
    if image is not None:
        for first in starts:
            yield _of_column(table.slice(first, batch_size), image, path, path, card, first)
        return
    columns, shape = _shape_of_columns(path, table.schema, card)
    for first in starts:
        some = table.slice(first, batch_size)
        values = pixels_as(np.dtype(card.dtype).type, some, columns, str(path), first)
        origins = [f"{path}:{first + i}" for i in range(len(values))]
        yield _as_taken(origins, shape.arranged(values), card, path)


def _image_column(
    path: Path, table: Any, image: str, card: Card, batch_size: int
) -> Iterator[ImageBatch]:
    """Images out of a column, a batch of rows at a time."""
    import pyarrow as pa

    needed = [name for name in table.schema_arrow.names if name in (image, "shape")]
    first = 0
    try:
        for some in table.iter_batches(batch_size, columns=needed):
            rows = pa.Table.from_batches([some])
            yield _of_column(rows, image, path, path.parent, card, first)
            first += len(some)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _of_column(
    rows: Any, image: str, path: Path, folder: Path, card: Card, first_row: int
) -> ImageBatch:
    from gaikan.data.image_columns import read_column

    read = read_column(rows, image, str(path), folder, card.shape[1:], first_row, strict=False)
    if isinstance(read.images, np.ndarray):
        return _as_taken(read.origins, read.images, card, path)
    return _fitted(read.origins, read.images, card)


def _as_taken(origins: list[str], images: Images, card: Card, path: Path) -> ImageBatch:
    """Images out of numbers, as the model takes them. Raises DataError."""
    if images.shape[2:] != card.shape[1:]:
        given, taken = (" x ".join(map(str, s)) for s in (images.shape[1:], card.shape))
        raise DataError(f"{path}: its images are {given}, but the model takes {taken}")
    if images.dtype == np.float32 and card.dtype == "uint8":
        raise DataError(f"{path}: its values are not {_BYTES}")
    ValueRange(*card.values).refuse_far(images, f"{origins[0]} to {origins[-1]}")
    changes = Counter({CONVERTED: len(images) * (images.shape[1] != card.shape[0])})
    taken_as: Images = to_channels(images, card.shape[0]).astype(card.dtype)
    return ImageBatch(origins, taken_as, +changes)


def _shape_of_columns(path: Path, schema: Any, card: Card) -> "tuple[list[str], Shape]":
    """The pixel columns, and how they make an image. Raises DataError."""
    from gaikan.data.shapes import shape_in_metadata, shape_of
    from gaikan.data.tables import pixel_columns

    source = str(path)
    columns = pixel_columns(schema.names, source)
    channels, height, width = card.shape
    if len(columns) not in (height * width, 3 * height * width):
        raise DataError(
            f"{path}: {len(columns)} pixel columns, but the model takes images of "
            f"{channels} x {height} x {width}"
        )
    told = shape_in_metadata(schema.metadata, source)
    return columns, shape_of(len(columns), (height, width), told, source)[0]


def _pixel_columns(path: Path, table: Any, card: Card, batch_size: int) -> Iterator[ImageBatch]:
    columns, shape = _shape_of_columns(path, table.schema_arrow, card)
    import pyarrow as pa

    n_held = max(batch_size, _HELD_PIXELS // len(columns) // batch_size * batch_size)
    first = 0
    try:
        for group in range(table.num_row_groups):
            n_rows = table.metadata.row_group(group).num_rows
            for start in range(0, n_rows, n_held):
                rows = range(start, min(start + n_held, n_rows))
                images = _rows(table, group, rows, columns, card.dtype, str(path), first)
                for i in range(0, len(rows), batch_size):
                    batch = shape.arranged(images[i : i + batch_size])
                    origins = [f"{path}:{first + i + j}" for j in range(len(batch))]
                    yield _as_taken(origins, batch, card, path)
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
