"""Frame tables in parquet files that are too large to be read at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gaikan.data.columns import NOTHING, Asked
from gaikan.data.frames import Images
from gaikan.data.limits import refuse_too_large
from gaikan.data.pixel_columns import is_compact, numbers_of, pixel_columns, pixels_as, read_group
from gaikan.data.precision import refuse_lost_contrast
from gaikan.data.room import LARGE, room
from gaikan.data.text_columns import text_columns
from gaikan.errors import DataError, first_line

_AT_ONCE = 2**26  # bytes of Arrow that are read at once
_WIDEST = 8  # bytes a value
_NAMES = 3  # label, failure mode and lot


class LargeTable:
    """A parquet file of which a few columns of one row group at a time are in memory.

    By columns, as each keeps a decoded page of up to a megabyte while it is read.
    """

    def __init__(self, path: Path, asked: Asked = NOTHING) -> None:
        self.path = path
        with readable(path):
            metadata = pq.read_metadata(path)
            self.schema = metadata.schema.to_arrow_schema()
            self.column_names: list[str] = self.schema.names
            paths = {metadata.schema.column(i).path for i in range(metadata.num_columns)}
        self.num_rows: int = metadata.num_rows
        self._pixels = pixel_columns(self.column_names, str(path))
        self._texts = text_columns(self.schema, asked, str(path)).all
        refuse_too_large(str(path), self.num_rows, "labels", _NAMES, _WIDEST)
        with readable(path):
            # A text that all of a million rows share stands in the file once, and is held once.
            shared = [name for name in self._texts if name in paths]
            self._file = pq.ParquetFile(path, metadata=metadata, read_dictionary=shared)

    @property
    def is_large(self) -> bool:
        """Whether its values, as Arrow holds them, take more than is read at once."""
        return self.num_rows * len(self._pixels) * _WIDEST > 4 * LARGE

    def whole(self) -> Any:
        """What a frame table needs of it: no other column is decoded, however large.

        Raises DataError where the file is damaged.
        """
        with readable(self.path):
            return self._file.read([*self._pixels, *self._texts])

    def column(self, name: str) -> Any:
        """One column, all rows. Raises DataError where the file is damaged."""
        with readable(self.path):
            return self._file.read([name]).column(name)

    def pixels(self, names: list[str], source: str) -> Images:
        """(N, pixels), uint8 where all are integers in 0..255, else float32.

        Raises DataError naming column and row of what is no number, or where float32 would lose
        the contrast.
        """
        for dtype in (np.uint8, np.float32):
            images = self._filled(dtype, names, source)
            if images is not None:
                parts = (part for _, _, part in self._parts(names))
                given = (each for part in parts for each in numbers_of(part, part.column_names))
                refuse_lost_contrast(images, given, source)
                return images
        raise AssertionError("float32 holds any number")

    def _filled(
        self, dtype: type[np.uint8] | type[np.float32], names: list[str], source: str
    ) -> Images | None:
        """None as soon as there is a column that uint8 cannot hold."""
        images = room((self.num_rows, len(names)), dtype)
        for first, start, part in self._parts(names):
            columns = part.column_names
            if dtype is np.uint8 and not is_compact(part, columns):
                return None
            rows = slice(first, first + part.num_rows)
            images[rows, start : start + len(columns)] = pixels_as(
                dtype, part, columns, source, first
            )
        return images

    def _parts(self, names: list[str]) -> Iterator[tuple[int, int, Any]]:
        """(first row, first column, table) of a row group's columns, a few at a time."""
        first = 0
        for group in range(self._file.num_row_groups):
            n_rows = self._file.metadata.row_group(group).num_rows
            step = max(1, _AT_ONCE // (_WIDEST * max(1, n_rows)))
            for start in range(0, len(names), step):
                with readable(self.path):
                    part = read_group(
                        self._file, group, names[start : start + step], str(self.path)
                    )
                yield first, start, part.select(names[start : start + step])
            first += n_rows


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What goes wrong within with a parquet file becomes a DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable parquet file ({first_line(error)})") from None
