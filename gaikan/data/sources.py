"""The one grammar for data: `terminals`, a `.parquet` or `.csv`, a folder, `hub:owner/name`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gaikan.data.columns import NOTHING, Asked
from gaikan.data.frames import Frames
from gaikan.data.names import check_text
from gaikan.errors import DataError
from gaikan.language.words import Words

Size = tuple[int, int] | None  # height and width
GRAMMAR = "terminals, FILE.parquet, FILE.csv, FOLDER or hub:owner/name[@revision][:split]"


def read_source(
    source: str,
    part: Literal["train", "test"] = "train",
    size: Size = None,
    asked: Asked = NOTHING,
) -> Frames:
    """The images of a source. `part` tells which lots of `terminals` are meant.

    Raises DataError with one line that names the source, the column, row or file, and the
    remedy.
    """
    check_source(source)
    if source == "terminals":
        from gaikan.data.terminals import terminals

        return _resized(terminals(part), size)
    if source.startswith("hub:"):
        from gaikan.data.hub import notes_of_hub, read_hub

        table = read_hub(source)
        return _from_table(table, source, Path(), size, asked, notes_of_hub(table))
    path = Path(source)
    if path.is_dir():
        return _read_folder(path, source.rstrip("/"), size, asked)
    return _READERS[path.suffix.lower()](path, source, size, asked)


def check_source(source: str) -> None:
    """Raises DataError where there is no such source, as far as can be told without reading it."""
    if source == "terminals":
        return
    if source.startswith("hub:"):
        from gaikan.data.hub_name import parse_hub

        parse_hub(source)
        return
    path = Path(source)
    check_text(source, "source")
    if not source or not path.exists():  # the path of an empty text is the working folder
        raise DataError(f"{source or repr(source)}: no such file or folder; a source is {GRAMMAR}")
    if path.is_dir():
        return
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{source}: unknown kind of file; a source is {GRAMMAR}")
    if path.stat().st_size == 0:
        raise DataError(f"{source}: the file is empty")


def _resized(frames: Frames, size: Size) -> Frames:
    """Grey images (N, 1, H, W) at another height and width."""
    from gaikan.data.image_files import decoded_array

    if size is None or size == frames.shape[1:]:
        return frames
    images: Any = np.stack([decoded_array(image).fitted(size).values(1) for image in frames.images])
    return replace(frames, images=images)


def _read_folder(path: Path, source: str, size: Size, asked: Asked) -> Frames:
    """A folder of class folders, of part files, or what `save_to_disk` wrote."""
    from gaikan.data.listing import parquet_files_in
    from gaikan.data.part_files import saved_by_datasets

    saved = saved_by_datasets(path, source)
    if saved is not None:
        return _from_table(saved, source, path, size, asked)
    files, left_out = parquet_files_in(path)
    if files:
        return _read_parts(files, path, source, size, asked, left_out.notes())
    from gaikan.data.folders import frames_from_folder

    return frames_from_folder(path, source, size)


def _from_table(
    table: Any, source: str, folder: Path, size: Size, asked: Asked, notes: Sequence[Words] = ()
) -> Frames:
    """Frames of a table that is held as a whole."""
    from gaikan.data.image_columns import columns_with, frames_from_image_column, image_column
    from gaikan.data.tables import frames_from_table
    from gaikan.data.text_columns import text_columns

    image = image_column(table.schema, asked, source)
    if image is None:
        return frames_from_table(table, source, size, asked, notes)
    found = text_columns(table.schema, asked, source, image)
    pieces = [table.select(columns_with(image, table.schema))]
    return frames_from_image_column(table, pieces, image, found, source, folder, size, notes)


def _read_parts(
    files: Sequence[Path],
    folder: Path,
    source: str,
    size: Size,
    asked: Asked,
    notes: Sequence[Words] = (),
) -> Frames:
    """Frames of parquet files, of which no more is read than is needed."""
    from gaikan.data.image_columns import columns_with, frames_from_image_column, image_column
    from gaikan.data.part_files import PartFiles
    from gaikan.data.pixel_columns import pixel_columns
    from gaikan.data.tables import frames_from_table
    from gaikan.data.text_columns import text_columns

    parts = PartFiles(files, folder, source)
    image = image_column(parts.schema, asked, source)
    found = text_columns(parts.schema, asked, source, image)
    if image is None:
        pixels = pixel_columns(parts.schema.names, source)
        table = parts.read([*pixels, *found.all], found.all)
        frames = frames_from_table(table, source, size, asked, notes)
        return replace(frames, origins=parts.origins())
    texts = parts.read(found.all, found.all)
    pieces = parts.pieces(columns_with(image, parts.schema))
    return frames_from_image_column(texts, pieces, image, found, source, folder, size, notes)


def _read_parquet(path: Path, source: str, size: Size, asked: Asked) -> Frames:
    import pyarrow.parquet as pq

    from gaikan.data.image_columns import image_column
    from gaikan.data.large import LargeTable, readable
    from gaikan.data.tables import frames_from_table

    with readable(path):
        schema = pq.read_schema(path)
        _ = schema.names  # which are decoded here
    if image_column(schema, asked, source) is not None:
        return _read_parts([path], path.parent, source, size, asked)
    table = LargeTable(path, asked)
    return frames_from_table(table if table.is_large else table.whole(), source, size, asked)


def _read_csv(path: Path, source: str, size: Size, asked: Asked) -> Frames:
    from gaikan.data.csv_files import open_csv
    from gaikan.data.csv_tables import frames_from_csv

    return frames_from_csv(open_csv(path), source, size, asked)


_READERS = {".parquet": _read_parquet, ".csv": _read_csv}
