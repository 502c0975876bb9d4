"""Which jobs of a Dask run are left, and which of them keep losing their workers."""

from collections import Counter
from collections.abc import Iterator

from gaikan.grid.jobs import Jobs
from gaikan.training.cell import Finished

ALLOWED_DEATHS = 3  # as Dask's `distributed.scheduler.allowed-failures`


class Board:
    """The jobs that are left: first together, then one by one those that kept losing workers."""

    def __init__(self, jobs: Jobs) -> None:
        self.left = dict(jobs)
        self.alone: Jobs = {}
        self.at_work: set[int] = set()  # jobs that have reported their start
        self._deaths: Counter[int] = Counter()

    def batch(self) -> Jobs:
        """What to submit next: all that is left, or else one alone; empty when all has ended."""
        return dict(self.left) or dict(list(self.alone.items())[:1])

    def ended(self, number: int) -> None:
        """A job has given its result."""
        self.at_work.discard(number)
        self.left.pop(number, None)
        self.alone.pop(number, None)

    def all_died(self) -> Iterator[tuple[int, Finished]]:
        """Every worker has died: counts a death for each job at work; if none is known, for all."""
        submitted = self.batch()
        for number in self.at_work & submitted.keys() or set(submitted):
            yield from self.died(number)

    def died(self, number: int, times: int = 1) -> Iterator[tuple[int, Finished]]:
        """A job's worker has died; gives the failure where that was the job's last chance."""
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
