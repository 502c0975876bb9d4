"""The one grammar for data: `terminals`, a `.parquet` or `.csv`, a folder, `hub:owner/name`."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gaikan.data.frames import Frames
from gaikan.errors import DataError, first_line

GRAMMAR = "terminals, FILE.parquet, FILE.csv, FOLDER or hub:owner/name[@revision][:split]"


def read_source(
    source: str, part: Literal["train", "test"] = "train", size: tuple[int, int] | None = None
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
        from gaikan.data.hub import NOTE, read_hub

        table = read_hub(source)
        frames = _from_table(table, source, size)
        note = (table.schema.metadata or {}).get(NOTE)
        return frames if note is None else replace(frames, notes=(note.decode(),))
    path = Path(source)
    if path.is_dir():
        from gaikan.data.folders import frames_from_folder

        return frames_from_folder(path, source.rstrip("/"), size)
    return _from_table(_READERS[path.suffix.lower()](path), source, size)


def check_source(source: str) -> None:
    """Raises DataError where there is no such source, as far as can be told without reading it."""
    if source == "terminals":
        return
    if source.startswith("hub:"):
        from gaikan.data.hub import parse_hub

        parse_hub(source)
        return
    path = Path(source)
    if not source or not path.exists():  # the path of an empty text is the working folder
        raise DataError(f"{source or repr(source)}: no such file or folder; a source is {GRAMMAR}")
    if path.is_dir():
        return
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{source}: unknown kind of file; a source is {GRAMMAR}")
    if path.stat().st_size == 0:
        raise DataError(f"{source}: the file is empty")


def _resized(frames: Frames, size: tuple[int, int] | None) -> Frames:
    """Grey images (N, 1, H, W) at another height and width."""
    from PIL import Image

    from gaikan.data.folders import pixels

    if size is None or size == frames.shape[1:]:
        return frames
    images = np.stack([pixels(Image.fromarray(image), "L", size) for image in frames.images[:, 0]])
    return replace(frames, images=images[:, None])


def _from_table(table: Any, source: str, size: tuple[int, int] | None) -> Frames:
    from gaikan.data.tables import frames_from_table

    return frames_from_table(table, source, size)


def _read_parquet(path: Path) -> Any:
    from gaikan.data.large import LargeTable

    table = LargeTable(path)
    return table if table.is_large else table.whole()


def _read_csv(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    try:
        # Names and groups stay text: lot "00041" is not lot 41.
        options = csv.ConvertOptions(
            column_types={"fmode": pa.string(), "group": pa.string()}, strings_can_be_null=True
        )
        table = csv.read_csv(path, convert_options=options)
        _ = table.column_names  # the header is decoded here
        return table
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable CSV file ({first_line(error)})") from None


_READERS = {".parquet": _read_parquet, ".csv": _read_csv}
