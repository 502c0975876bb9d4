"""Tables of images, a batch at a time: parquet files as they are read, others held as a whole."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gaikan.bundle.card import Card
from gaikan.bundle.image_batch import ImageBatch, as_taken, fitted
from gaikan.data.columns import Asked
from gaikan.data.csv_files import open_csv
from gaikan.data.frames import Images
from gaikan.errors import DataError, first_line

if TYPE_CHECKING:
    from gaikan.data.shapes import Shape

_READ_BYTES = 4096  # of each column at a time; a table has a thousand columns
_READ_COLUMNS = 16  # decoded at a time: a page of up to 1 MB is held for each
_HELD_PIXELS = 2**25  # of the rows that are held at a time


def is_hub(path: Path) -> bool:
    """Whether the source is `hub:owner/name` and no path."""
    return str(path).startswith("hub:")


def table_batches(path: Path, card: Card, batch_size: int, asked: Asked) -> Iterator[ImageBatch]:
    """The images of a table. Raises DataError naming column and row."""
    if path.suffix.lower() != ".parquet":
        yield from _held_table(path, _whole_table(path), card, batch_size, asked)
        return
    table = _open_table(path)
    from gaikan.data.image_columns import image_column

    image = image_column(table.schema_arrow, asked, str(path))
    read = _pixel_columns(path, table, card, batch_size)
    yield from read if image is None else _image_column(path, table, image, card, batch_size)


def n_rows(path: Path) -> int:
    """How many images a table has. Raises DataError where it is damaged."""
    if path.suffix.lower() == ".csv" and path.is_file():
        return sum(1 for _ in open_csv(path).rows())
    if path.suffix.lower() == ".parquet":
        return int(_open_table(path).metadata.num_rows)
    return int(_whole_table(path).num_rows)


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
    from gaikan.data.pixel_columns import pixels_as

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
        yield as_taken(origins, shape.arranged(values), card, path)


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
        return as_taken(read.origins, read.images, card, path)
    return fitted(read.origins, read.images, card)


def _shape_of_columns(path: Path, schema: Any, card: Card) -> "tuple[list[str], Shape]":
    """The pixel columns, and how they make an image. Raises DataError."""
    from gaikan.data.pixel_columns import pixel_columns
    from gaikan.data.shapes import shape_in_metadata, shape_of

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
            n_in_group = table.metadata.row_group(group).num_rows
            for start in range(0, n_in_group, n_held):
                rows = range(start, min(start + n_held, n_in_group))
                images = _rows(table, group, rows, columns, card.dtype, str(path), first)
                for i in range(0, len(rows), batch_size):
                    batch = shape.arranged(images[i : i + batch_size])
                    origins = [f"{path}:{first + i + j}" for j in range(len(batch))]
                    yield as_taken(origins, batch, card, path)
                first += len(rows)
                del images, batch  # free before the next are read
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _rows(
    table: Any, group: int, rows: range, columns: list[str], dtype: str, source: str, first: int
) -> Images:
    """Images (N, pixels) of `rows` of a row group; `first` is the number of the first in the file.

    A few columns are read at a time: a page of each, up to a megabyte, is decoded as a whole.
    Raises DataError where the group holds fewer rows than the file says.
    """
    from gaikan.data.pixel_columns import pixels_as, read_group

    images: Images = np.empty((len(rows), len(columns)), dtype)
    for i in range(0, len(columns), _READ_COLUMNS):
        names = columns[i : i + _READ_COLUMNS]
        whole = read_group(table, group, names, source, use_threads=False)
        part = whole.slice(rows.start, len(rows))
        images[:, i : i + len(names)] = pixels_as(images.dtype.type, part, names, source, first)
    return images
