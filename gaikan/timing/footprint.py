"""How much memory a batch takes: measured on small batches, foreseen for larger ones.

Activations grow with the number of images in every runtime; how many of them it keeps between
queries, only a measurement tells.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gaikan.language.words import Words, say
from gaikan.system import machine

_STEP = 8  # a batch is at most so many times as large as the one measured before it
_RESET_PEAK = "5"  # man 5 proc_pid_clear_refs

Run = Callable[[], object]


@dataclass(frozen=True)
class TooLarge:
    """Why a batch was not started, bytes."""

    needed: int
    allowed: int

    def reason(self, batch_size: int) -> Words:
        """The reason in words, for the row in `latency.csv`."""
        needed, allowed = (f"{size / 1e9:.1f}" for size in (self.needed, self.allowed))
        return say("batch_too_large", batch=batch_size, needed=needed, allowed=allowed)


@dataclass
class Footprint:
    """The peak memory of one model in one process, by batch size."""

    predict: Callable[[int], object]  # takes the number of images
    peak: Callable[[Run], int | None]  # bytes held at most meanwhile; None: the system won't say
    peaks: dict[int, int | None] = field(default_factory=dict)

    def reach(self, size: int, allowed: int | None, run: Run) -> TooLarge | None:
        """Calls `run`, with a batch of that size, after smaller ones; or gives why it did not."""
        while (step := self._next()) < size and self._fits(step, allowed):
            self.peaks[step] = self.peak(partial(self.twice, step))
        if not self._fits(min(step, size), allowed):
            assert allowed is not None
            return TooLarge(self.foreseen(size), allowed)
        self.peaks[size] = self.peak(run)
        return None

    def _fits(self, size: int, allowed: int | None) -> bool:
        return allowed is None or self.foreseen(size) <= allowed

    def twice(self, size: int) -> None:
        """Predicts twice: ONNX Runtime plans its memory in the first query, its peak is later."""
        self.predict(size)
        self.predict(size)

    def _next(self) -> int:
        """The largest size to measure next: two small ones first, to see their difference."""
        largest = max(self.peaks, default=0)
        return largest + 1 if len(self.peaks) < 2 else _STEP * largest

    def foreseen(self, size: int) -> int:
        """Bytes that a batch takes more than a single image does; 0 where it is not known.

        On the line through the two largest batches that were measured.
        """
        known = {size: peak for size, peak in sorted(self.peaks.items()) if peak is not None}
        if len(known) < 2:
            return 0
        (before, less), (largest, most) = list(known.items())[-2:]
        per_image = max(0.0, (most - less) / (largest - before))
        return round(most - known[min(known)] + per_image * (size - largest))


def batch_memory() -> int | None:
    """Bytes that a batch may take, a quarter of the memory; None where no peak can be measured."""
    return None if host_peak(int) is None else machine.batch_memory()


def host_peak(run: Run) -> int | None:
    """Bytes of memory that this process held at most while `run` worked, on Linux."""
    try:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        run()
        return None
    run()
    peak = peak_rss_mb()
    return None if peak is None else round(peak * 2**20)


def peak_rss_mb() -> float | None:
    """The most memory that this process has held, MB; None where the system does not say.

    Not by `getrusage`: on Linux its peak starts with that of the process that started this one.
    """
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peaks = (int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))
        return next(peaks, None)
    return None
