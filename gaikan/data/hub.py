"""The source `hub:owner/name[@revision][:split]`: one split of a data set on a Hugging Face hub."""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaikan.data.hub_commit import INSTEAD, NoAnswer, ask_commit, cached_commit, first_cause
from gaikan.data.hub_csv import CsvSplit, csv_splits, read_csv_split
from gaikan.data.hub_name import HubName, parse_hub
from gaikan.errors import DataError
from gaikan.language.words import Words, packed, say, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

# Keys of the metadata on the schema of the table that `read_hub` returns.
COMMIT = b"hub_commit"
NOTES = b"hub_notes"


def read_hub(source: str) -> "pa.Table":
    """The whole split as an Arrow table, memory-mapped from the cache of `datasets`.

    The metadata of its schema holds the commit that was read under `COMMIT` and, as JSON under
    `NOTES`, remarks: that the hub did not answer and a copy from the cache was taken, or how CSV
    files are written. Only the commit that the revision stood for when the hub last answered is
    taken from the cache.
    """
    name = parse_hub(source)
    with _quiet():
        notes: list[Words] = []
        try:
            commit = ask_commit(source, name)
            splits = _load(source, name, commit)
        except NoAnswer as error:
            commit = cached_commit(source, name, error)
            splits = _load(source, name, commit, offline=True)
            notes.append(say("hub_from_cache", error=str(error), commit=commit[:12]))
        split = splits[_choose_split(source, name, list(splits))]
        if isinstance(split, CsvSplit):
            table, written = _read_csv(split, source)
            notes += written
        else:
            table = split.with_format("arrow")[:]
            told = split.features.arrow_schema.metadata  # the names of classes
            table = table.replace_schema_metadata(told)
    told = {**(table.schema.metadata or {}), COMMIT: commit.encode()}
    return table.replace_schema_metadata(
        {**told, NOTES: json.dumps([*map(packed, notes)]).encode()}
    )


def _read_csv(split: CsvSplit, source: str) -> "tuple[pa.Table, list[Words]]":
    try:
        return read_csv_split(split, source)
    except DataError:
        raise
    except Exception as error:  # whatever the line or the disk does
        raise DataError(f"{source}: {_explain(error, offline=False)}, or {INSTEAD}") from error


def notes_of_hub(table: "pa.Table") -> list[Words]:
    """What is to be said of a table that `read_hub` returned."""
    notes: list[str] = json.loads(table.schema.metadata[NOTES])
    return [*map(unpacked, notes)]


def _load(source: str, name: HubName, commit: str, *, offline: bool = False) -> dict[str, Any]:
    """All splits of the data set, by name, not yet read into memory; certainly of `commit`."""
    import datasets

    path = name.owner_name
    if Path(path).exists():  # `datasets` would read the folder; older releases know no hf:// names
        path = f"hf://datasets/{path}"
    settings = {
        "HF_HUB_OFFLINE": offline,
        # Two questions to other hosts, which a company's own hub does not have, and which would
        # tell the name of the data set to the outside.
        "USE_PARQUET_EXPORT": False,
        "HF_UPDATE_DOWNLOAD_COUNTS": False,
    }
    before = {key: getattr(datasets.config, key) for key in settings}
    vars(datasets.config).update(settings)
    try:
        builder = datasets.load_dataset_builder(path, revision=name.revision)
        are_csv = "csv" in (builder.name, builder.info.builder_name)  # the latter of a copy
        read = csv_splits if are_csv else _prepared
        is_there = not (are_csv and offline) and builder.hash == commit
        splits: dict[str, Any] = read(builder) if is_there else {}
    except Exception as error:  # whatever the files hold, the disk does or the line does
        raise DataError(f"{source}: {_explain(error, offline)}, or {INSTEAD}") from error
    finally:
        vars(datasets.config).update(before)
    if are_csv and offline:  # `datasets` keeps what it has made of them, not the files
        raise DataError(
            f"{source}: {datasets.config.HF_ENDPOINT} does not answer, and CSV files are not read "
            f"from the cache: try again when it does, or {INSTEAD}"
        )
    if builder.hash != commit:
        raise DataError(
            f"{source}: commit {commit[:12]} cannot be loaded, only {builder.hash} "
            f"from the cache: try again when the hub answers, or {INSTEAD}"
        )
    return splits


def _prepared(builder: Any) -> dict[str, Any]:
    builder.download_and_prepare()
    splits: dict[str, Any] = builder.as_dataset(in_memory=False)
    return splits


def _explain(error: Exception, offline: bool) -> str:
    """What went wrong in `load_dataset` and what to do, for those failures that it words badly."""
    import datasets
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DataFilesNotFoundError

    line = first_cause(error)
    if offline:
        return f"its copy in {datasets.config.HF_DATASETS_CACHE} is damaged ({line}): delete that"
    if isinstance(error, EmptyDatasetError | DataFilesNotFoundError):
        return "the data set has no data files: upload one"
    if isinstance(error, FileNotFoundError):
        hub = datasets.config.HF_ENDPOINT
        return f"{hub} has the data set but does not send its files: try again later"
    if "BatchSize must be greater than 0" in line or "corresponds to no data" in line:
        return "a parquet file or a split of the data set has no rows: take that out"
    if "Config name is missing" in line:
        return "the data set has several configurations and no default one: give it one"
    return f"the data set cannot be loaded ({line}): mend its files"


def _choose_split(source: str, name: HubName, splits: list[str]) -> str:
    if name.split in splits:
        return str(name.split)
    if name.split is None and len(splits) == 1:
        return splits[0]
    revision = f"@{name.revision}" if name.revision else ""
    wrong = "several splits" if name.split is None else f"no split '{name.split}'"
    raise DataError(
        f"{source}: the data set has {wrong}: name one that it has "
        f"({', '.join(splits)}), for example hub:{name.owner_name}{revision}:{splits[0]}"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, log lines or warnings of the two libraries: what matters is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
        from huggingface_hub import utils as hub

        logs = [(m, m.get_verbosity()) for m in (datasets.logging, hub.logging)]
        bars = [m for m in (datasets.utils, hub) if not m.are_progress_bars_disabled()]
        for log, _ in logs:
            log.set_verbosity(logging.CRITICAL)
        for bar in bars:
            bar.disable_progress_bars()
        try:
            yield
        finally:
            for log, level in logs:
                log.set_verbosity(level)
            for bar in bars:
                bar.enable_progress_bars()
