"""Parquet files as one table: a single one, or a folder of them as Spark and Hive write it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gaikan.data.large import readable
from gaikan.data.limits import refuse_too_large
from gaikan.data.names import check_text, composed
from gaikan.errors import DataError

_SPLIT = re.compile("(train|test|val|valid|validation|dev)[-_.]", re.IGNORECASE)
_ROWS = 64  # of images that are held encoded at once
_WIDEST = 8  # bytes a value


class PartFiles:
    """All files, in the order of their names; folders named `key=value` are columns of text.

    Raises DataError where the files are parts of several splits, or have different columns.
    """

    def __init__(self, files: Sequence[Path], folder: Path, source: str) -> None:
        self.source = source
        for path in files:
            check_text(str(path), source)
        self._refuse_splits(files, folder)
        self._files = [(path, _partitions(path, folder)) for path in files]
        self._counts = []
        for path in files:
            with readable(path):
                metadata = pq.read_metadata(path)
                schema = metadata.schema.to_arrow_schema()
            self._counts.append(metadata.num_rows)
            if path == files[0]:
                self.schema = schema
            elif schema.names != self.schema.names:
                raise DataError(
                    f"{path}: has other columns than {files[0].name}; all files of {source} must "
                    "be alike"
                )
        for key in self._files[0][1]:
            if key not in self.schema.names:
                self.schema = self.schema.append(pa.field(key, pa.string()))
        self.num_rows = sum(self._counts)

    def read(self, names: Sequence[str], texts: Sequence[str] = ()) -> pa.Table:
        """These columns, of which `texts` are held once for all rows that share them.

        Raises DataError where they are too large, or a file is damaged.
        """
        refuse_too_large(self.source, self.num_rows, "values", len(names), _WIDEST)
        tables = []
        for (path, partitions), n_rows in zip(self._files, self._counts, strict=True):
            with readable(path):
                metadata = pq.read_metadata(path)
                there = {metadata.schema.column(i).path for i in range(metadata.num_columns)}
                shared = [name for name in texts if name in there]
                file = pq.ParquetFile(path, metadata=metadata, read_dictionary=shared)
                table = file.read([name for name in names if name in file.schema_arrow.names])
            _refuse_other_count(path, n_rows, table.num_rows)
            tables.append(_with_columns(table, n_rows, partitions, names))
        with readable(self._files[0][0]):
            return pa.concat_tables(tables, promote_options="permissive")

    def pieces(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """These columns, a few rows at a time. Raises DataError where a file is damaged."""
        for (path, _), n_rows in zip(self._files, self._counts, strict=True):
            n_read = 0
            with readable(path):
                for batch in pq.ParquetFile(path).iter_batches(_ROWS, columns=list(names)):
                    n_read += len(batch)
                    yield pa.Table.from_batches([batch])
            _refuse_other_count(path, n_rows, n_read)

    def origins(self) -> NDArray[np.object_]:
        """File and row of each row."""
        names = [
            f"{path}:{row}"
            for (path, _), n_rows in zip(self._files, self._counts, strict=True)
            for row in range(n_rows)
        ]
        return np.array(names, object)

    def _refuse_splits(self, files: Sequence[Path], folder: Path) -> None:
        within = [path.relative_to(folder).parts for path in files]
        splits = {match[1].lower() for parts in within if (match := _SPLIT.match(parts[-1]))}
        splits |= {p[0].lower() for p in within if len(p) > 1 and _SPLIT.fullmatch(f"{p[0]}.")}
        if len(splits) > 1:
            raise DataError(
                f"{self.source}: holds files of several parts ({', '.join(sorted(splits))}); put "
                "each into a folder of its own and give that"
            )


def _refuse_other_count(path: Path, declared: int, n_read: int) -> None:
    if n_read != declared:
        raise DataError(
            f"{path}: not a readable parquet file (it declares {declared} rows and has {n_read})"
        )


def _partitions(path: Path, folder: Path) -> dict[str, str]:
    """What the folders on the way say, as Hive writes it: some letters as %20."""
    found = (part.partition("=") for part in path.relative_to(folder).parts[:-1])
    return {key: composed(unquote(value)) for key, equals, value in found if equals}


def _with_columns(
    table: pa.Table, n_rows: int, partitions: dict[str, str], names: Sequence[str]
) -> pa.Table:
    """With the columns that are folders, in the order of `names`."""
    columns = {name: table.column(name) for name in table.column_names}
    columns |= {
        key: pa.repeat(pa.scalar(value), n_rows).dictionary_encode()
        for key, value in partitions.items()
        if key in names and key not in columns
    }
    schema = table.schema.metadata
    return pa.table({name: columns[name] for name in names}).replace_schema_metadata(schema)


def saved_by_datasets(folder: Path, source: str) -> pa.Table | None:
    """The table that `save_to_disk` wrote there; None where it did not.

    Raises DataError where there are several, or it is damaged.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(path.parent.name for path in folder.glob("*/state.json"))
        first = folder / splits[0] if splits else folder
        raise DataError(
            f"{source}: holds the data sets {', '.join(splits)}; give one of them, such as {first}"
        )
    if not (folder / "state.json").is_file():
        return None
    import datasets

    try:
        saved = datasets.load_from_disk(str(folder))
        schema = saved.features.arrow_schema
        table = saved.with_format("arrow")[:]
        table.validate(full=True)  # a damaged file's offsets may lead anywhere
    except Exception as error:  # whatever the files hold
        line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(f"{source}: cannot be read as what save_to_disk wrote ({line})") from None
    return table.replace_schema_metadata(schema.metadata)
