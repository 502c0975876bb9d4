"""The speed of the machine's memory, and how near a case comes to what the machine allows.

S. Williams et al., "Roofline: an insightful visual performance model", CACM 52 (2009): a program
takes at least its operations by the arithmetic's rate, and its bytes by the memory's.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_BLOCKS = (2**20, 2**23, 2**28)  # within one core's caches, within a shared cache, beyond all
_SECONDS = 0.05


@dataclass(frozen=True)
class Roofline:
    """The best that was measured: `gemm` operations a second; bytes a second by block size."""

    gemm: float
    library: str  # the runtime that reached it
    bandwidth: dict[int, float]

    def share(self, operations: float, traffic: float, seconds: float) -> float:
        """The least time for so many operations and bytes (`traffic`), divided by `seconds`.

        Bytes pass at the speed of the smallest measured block that holds them.
        """
        fits = [size for size in sorted(self.bandwidth) if traffic <= size]
        speed = self.bandwidth[fits[0] if fits else max(self.bandwidth)]
        return max(operations / self.gemm, traffic / speed) / seconds


def bandwidth(threads: int) -> dict[int, float]:
    """Bytes a second of reading (dot product) or copying, whichever is faster, by block size."""
    with ThreadPoolExecutor(threads) as pool:
        return {size: _speed(pool, threads, size) for size in _BLOCKS}


def _speed(pool: ThreadPoolExecutor, threads: int, size: int) -> float:
    """Bytes a second of a block that is shared out to threads; NumPy releases Python's lock."""
    count = size // threads // 8  # two float32 arrays make up the block
    pairs = [(np.ones(count, np.float32), np.ones(count, np.float32)) for _ in range(threads)]
    repeats = max(1, 2**23 // size)  # so that handing out the work does not count

    def best(operation: Callable[[Floats, Floats], object]) -> float:
        """Of the fastest of as many tries as fit into the time."""

        def work(pair: tuple[Floats, Floats]) -> None:
            for _ in range(repeats):
                operation(*pair)

        fastest, ends = np.inf, time.perf_counter() + _SECONDS
        while time.perf_counter() < ends:
            before = time.perf_counter()
            list(pool.map(work, pairs))
            fastest = min(fastest, time.perf_counter() - before)
        return 8 * count * threads * repeats / fastest

    return max(best(np.dot), best(np.copyto))
