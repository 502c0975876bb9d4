"""What is left to do, and which jobs lose their workers."""

from collections import Counter
from collections.abc import Iterator

from gaikan.grid.jobs import Jobs
from gaikan.training.cell import Finished

ALLOWED_DEATHS = 3  # as Dask's `distributed.scheduler.allowed-failures`


class Board:
    """All jobs at first; those that keep on losing their workers come alone, after the others."""

    def __init__(self, jobs: Jobs) -> None:
        self.left = dict(jobs)
        self.alone: Jobs = {}
        self.at_work: set[int] = set()  # begun, as far as is known
        self._deaths: Counter[int] = Counter()

    def batch(self) -> Jobs:
        """What to submit next, empty when all has ended: what is left, or else one alone."""
        return dict(self.left) or dict(list(self.alone.items())[:1])

    def ended(self, number: int) -> None:
        """A job has given its result."""
        self.at_work.discard(number)
        self.left.pop(number, None)
        self.alone.pop(number, None)

    def all_died(self) -> Iterator[tuple[int, Finished]]:
        """Every worker has died: one death more for each job at work, or that may have been."""
        suspects = self.batch()
        for number in self.at_work & suspects.keys() or set(suspects):
            yield from self.died(number)

    def died(self, number: int, times: int = 1) -> Iterator[tuple[int, Finished]]:
        """A job's worker has died; a result where that was the last chance."""
        self.at_work.discard(number)
        self._deaths[number] += times
        if self._deaths[number] <= ALLOWED_DEATHS:
            return
        if number in self.left:
            self.alone[number] = self.left.pop(number)
            del self._deaths[number]
            return
        self.ended(number)
        reason = "its Dask worker died, also when it ran alone (out of memory?)"
        yield number, Finished(failure=reason)
