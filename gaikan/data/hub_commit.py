"""Which commit of a data set on the hub is meant: as the hub says now, or as it said last."""

import contextlib
import os
import re
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TypeVar

from gaikan.data.hub_name import HubName
from gaikan.errors import DataError, kind_and_line

ANSWER_SECONDS = 8.0  # how long the hub may take over its first answer
INSTEAD = "give a .parquet or .csv file instead"

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
_T = TypeVar("_T")


class NoAnswer(Exception):  # noqa: N818 - never leaves `data`
    """The hub cannot be asked now; the message says which hub and why."""


def ask_commit(source: str, name: HubName) -> str:
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
        raise NoAnswer(f"{hub} answers with an error (status {status})") from error
    except Exception as error:  # each release of the client has other classes for a dead line
        raise NoAnswer(f"{hub} cannot be reached ({first_cause(error)})") from error
    if info.sha is None:
        raise NoAnswer(f"{hub} does not answer like a hub (no commit)")
    return info.sha


def cached_commit(source: str, name: HubName, no_answer: NoAnswer) -> str:
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
            f"try again when the hub answers, or {INSTEAD}"
        ) from no_answer
    with contextlib.suppress(OSError):  # a shared cache may be read-only
        for copy in copies:
            os.utime(copy)
    return commit


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


def first_cause(error: Exception) -> str:
    """The first cause on one line, without the paragraphs of advice that follow it."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return kind_and_line(cause)
