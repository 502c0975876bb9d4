"""The source `hub:owner/name[@revision][:split]`: one split of a data set on a Hugging Face hub."""

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from gaikan.data.columns import is_pixel
from gaikan.errors import DataError, kind_and_line

if TYPE_CHECKING:
    import pyarrow as pa

GRAMMAR = "hub:owner/name[@revision][:split]"
ANSWER_SECONDS = 8.0  # how long the hub may take over its first answer

# Keys of the metadata on the schema of the table that `read_hub` returns.
COMMIT = b"hub_commit"
NOTE = b"hub_note"

_T = TypeVar("_T")
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_SOURCE = re.compile(
    rf"hub:(?P<owner_name>{_PART}/{_PART})"
    r"(?:@(?P<revision>\w(?:[\w.+/-]*\w)?))?"
    r"(?::(?P<split>\w+(?:\.\w+)*))?"
)
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
_INSTEAD = "give a .parquet or .csv file instead"


@dataclass(frozen=True)
class HubName:
    """A data set on the hub; without a revision it is `main`, without a split its only one."""

    owner_name: str
    revision: str | None = None
    split: str | None = None


class _NoAnswer(Exception):  # noqa: N818 - never leaves this module
    """The hub cannot be asked now; the message says which hub and why."""


def parse_hub(source: str) -> HubName:
    """The parts of `source`; the same names are allowed as on the hub itself."""
    match = _SOURCE.fullmatch(source)
    owner_name = match["owner_name"] if match else ""
    if match is None or ".." in source or "--" in owner_name or owner_name.endswith(".git"):
        raise DataError(
            f"{source!r} does not name a data set on the hub: write {GRAMMAR}, "
            "for example hub:owner/name or hub:owner/name@v1.0:train"
        )
    return HubName(owner_name, match["revision"], match["split"])


def read_hub(source: str) -> "pa.Table":
    """The whole split as an Arrow table, memory-mapped from the cache of `datasets`.

    The metadata of its schema holds the commit that was read under `COMMIT` and, where the hub did
    not answer and a copy from the cache was taken, a remark that says so under `NOTE`. Only the
    commit that the revision stood for when the hub last answered is taken from the cache.
    """
    name = parse_hub(source)
    with _quiet():
        note = {}
        try:
            commit = _ask_commit(source, name)
            splits = _load(source, name, commit)
        except _NoAnswer as error:
            commit = _cached_commit(source, name, error)
            splits = _load(source, name, commit, offline=True)
            note = {NOTE: f"{error}; commit {commit[:12]} was read from the cache".encode()}
        split = splits[_choose_split(source, name, list(splits))]
        told = split.features.arrow_schema.metadata or {}  # the names of classes
        table = split.with_format("arrow")[:]
    return table.replace_schema_metadata({**told, COMMIT: commit.encode(), **note})


def _ask_commit(source: str, name: HubName) -> str:
    """The commit that the revision stands for now: one question to the hub, never repeated.

    `load_dataset` alone asks for half a minute when nobody answers, and then raises the same
    FileNotFoundError for a refused connection, a broken server and a refused token.
    """
    import datasets
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    hub: str = datasets.config.HF_ENDPOINT
    private = (
        f"{source}: {hub} has no data set '{name.owner_name}', or it is private: check the name, "
        "or log in with `hf auth login` or a token in HF_TOKEN"
    )
    try:
        info = _within(
            ANSWER_SECONDS,
            lambda: HfApi(endpoint=hub).dataset_info(
                name.owner_name, revision=name.revision, timeout=ANSWER_SECONDS
            ),
        )
    except RevisionNotFoundError as error:
        raise DataError(
            f"{source}: '{name.owner_name}' has no revision '{name.revision or 'main'}': "
            "name one of its branches, tags or commits"
        ) from error
    except RepositoryNotFoundError as error:
        raise DataError(private) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise DataError(private) from error
        raise _NoAnswer(f"{hub} answers with an error (status {status})") from error
    except Exception as error:  # each release of the client has other classes for a dead line
        raise _NoAnswer(f"{hub} cannot be reached ({_line(error)})") from error
    if info.sha is None:
        raise _NoAnswer(f"{hub} does not answer like a hub (no commit)")
    return info.sha


def _cached_commit(source: str, name: HubName, no_answer: _NoAnswer) -> str:
    """The commit that the revision stood for when it was last loaded, if it is in the cache.

    `datasets` by itself would take the newest copy of any revision. So the copy that is wanted is
    made the newest; `_load` checks that it was taken.
    """
    import datasets
    from huggingface_hub import constants

    commit = name.revision or "main"
    if not _FULL_COMMIT.fullmatch(commit):
        repository = f"datasets--{name.owner_name.replace('/', '--')}"
        ref = Path(constants.HF_HUB_CACHE, repository, "refs", commit)
        commit = ref.read_text(encoding="utf-8") if ref.is_file() else ""
    cache = Path(datasets.config.HF_DATASETS_CACHE)
    copies = list(cache.glob(f"*/*/*/{commit}")) if commit else []
    if not copies:
        raise DataError(
            f"{source}: {no_answer}, and {cache} has no copy of it from an earlier run: "
            f"try again when the hub answers, or {_INSTEAD}"
        ) from no_answer
    with contextlib.suppress(OSError):  # a shared cache may be read-only
        for copy in copies:
            os.utime(copy)
    return commit


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
        load = partial(datasets.load_dataset, path, revision=name.revision, keep_in_memory=False)
        splits: dict[str, Any] = load()
        are_csv = any(split.info.builder_name == "csv" for split in splits.values())
        if are_csv and not offline:
            splits = load(**_as_written(splits))
    except Exception as error:  # whatever the files hold, the disk does or the line does
        raise DataError(f"{source}: {_explain(error, offline)}, or {_INSTEAD}") from error
    finally:
        vars(datasets.config).update(before)
    if are_csv and offline:  # `datasets` finds a copy that was read in its own way alone
        raise DataError(
            f"{source}: {datasets.config.HF_ENDPOINT} does not answer, and CSV files are not read "
            f"from the cache: try again when it does, or {_INSTEAD}"
        )
    files = [file["filename"] for split in splits.values() for file in split.cache_files]
    others = {Path(file).parent.name for file in files} - {commit}
    if others:
        raise DataError(
            f"{source}: commit {commit[:12]} cannot be loaded, only {', '.join(sorted(others))} "
            f"from the cache: try again when the hub answers, or {_INSTEAD}"
        )
    return splits


def _as_written(splits: dict[str, Any]) -> dict[str, Any]:
    """What makes of CSV files the texts that they hold: `datasets` reads 01 as 1, NA as nothing."""
    import datasets

    features = next(iter(splits.values())).features
    texts = {name: datasets.Value("string") for name in features if not is_pixel(name)}
    known = datasets.Features({**features, **texts})
    return {"features": known, "keep_default_na": False, "na_values": [""]}


def _explain(error: Exception, offline: bool) -> str:
    """What went wrong in `load_dataset` and what to do, for those failures that it words badly."""
    import datasets
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DataFilesNotFoundError

    line = _line(error)
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


def _within(seconds: float, question: Callable[[], _T]) -> _T:
    """The answer, or TimeoutError.

    The client's own timeout counts for each address of a host anew and not at all for its name's
    lookup: behind a firewall that drops everything it adds up to a minute.
    """
    answer: Future[_T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise TimeoutError(f"no answer in {seconds:g} s") from None


def _line(error: Exception) -> str:
    """The first cause on one line, without the paragraphs of advice that follow it."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return kind_and_line(cause)
