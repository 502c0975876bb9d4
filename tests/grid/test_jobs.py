"""Jobs whose results and epochs are waited for."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

from gaikan.commands.progress import GridProgress
from gaikan.grid.jobs import Job, collect


def test_an_epoch_that_is_heard_of_late_harms_nothing() -> None:
    """Its job lost its worker, and one that others wait for is at work alone."""

    class Late:
        def submit(self, number: int, job: Job) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(number)
            return future

        def beats(self) -> Iterator[tuple[int, int, float]]:
            yield from ((2, 5, 0.5), (3, 1, 0.5))

    watcher = Mock(spec=GridProgress)
    job: Any = Job(Mock(), None)
    ((number, _),) = collect(Late(), {3: job}, watcher)
    assert number == 3
    watcher.epoch.assert_called_once_with(job.cell, 1, 0.5)
