"""Which cells run together, which alone, and which are given up."""

from typing import Any

from gaikan.grid.dask.board import ALLOWED_DEATHS, Board
from gaikan.grid.jobs import Job


def test_a_job_is_given_up_after_as_many_deaths_alone_as_among_others() -> None:
    job: Any = Job
    board = Board({0: job, 1: job})
    board.at_work = {0}
    for _ in range(ALLOWED_DEATHS + 1):
        board.at_work.add(0)
        assert not list(board.all_died())
    assert board.batch() == {1: job}
    board.ended(1)
    assert board.batch() == {0: job}
    for _ in range(ALLOWED_DEATHS):
        assert not list(board.all_died())
    ((number, finished),) = board.all_died()
    assert (number, finished.trained) == (0, None)
    assert not board.batch()
