"""Columns that hold the content of image files, or {bytes, path} of them (`datasets.Image`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gaikan.data.arrow_columns import is_text
from gaikan.data.columns import Where
from gaikan.data.image_files import Opener, opener, refusing
from gaikan.data.path_tables import Finder
from gaikan.errors import DataError


def is_encoded(kind: Any) -> bool:
    """Whether a column holds the content of image files, or {bytes, path} of them."""
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def encoded_images(
    column: Any, image: str, source: str, folder: Path, where: Where
) -> tuple[Iterator[Opener], list[str | None]]:
    """What reads each row's image, and its path where it has one. Raises DataError."""
    contents: Any = column
    paths: list[str | None] = [None] * len(column)
    if pa.types.is_struct(column.type):
        contents = _member(column, "bytes")
        paths = path_texts(_member(column, "path"), where)
    return _opened(contents, paths, image, source, folder, where), paths


def path_texts(column: Any, where: Where) -> list[str | None]:
    """Cells of text. Raises DataError naming the row of what is none."""
    if pa.types.is_null(column.type):
        return [None] * len(column)
    if not is_text(column.type):
        raise DataError(f"{where.column}: its paths are {column.type}, not text")
    texts: list[str | None] = []
    for row, cell in enumerate(pc.cast(column, pa.large_binary()).to_pylist()):
        try:
            texts.append(None if cell is None else cell.decode())
        except UnicodeDecodeError:
            raise DataError(f"{where.row(row)}: the path is not in UTF-8") from None
    return texts


def _member(column: Any, name: str) -> Any:
    kind = column.type.field(column.type.get_field_index(name)).type
    return pa.chunked_array([pc.struct_field(chunk, name) for chunk in column.chunks], kind)


def _opened(
    contents: Any, paths: list[str | None], image: str, source: str, folder: Path, where: Where
) -> Iterator[Opener]:
    for row, (content, path) in enumerate(zip(contents, paths, strict=True)):
        data = content.as_py()
        if isinstance(data, bytes):
            yield opener(where.row(row), data)
        elif data is None and path:
            ((_, read),) = Finder(folder, source, image, where.first + row).openers([path])
            yield read
        else:
            yield refusing(DataError(f"{where.row(row)}: the cell is empty"))
