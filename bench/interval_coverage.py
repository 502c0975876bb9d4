"""How often the 95 % interval of an accuracy covers the truth, and how wide it is, by simulation.

`python bench/interval_coverage.py [GRIDS]` draws GRIDS test sets a line (default 2,000) from lots
that differ, judged by networks that differ, with parts that are hard or easy for all of them, and
prints a Markdown table. A width is divided by that of an interval that knows the variance of the
mean and is made by the normal distribution. With one seed the truth is that of this one network.
"""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from gaikan.evaluation.statistics import LEVEL, Intervals, intervals
from gaikan.report.markdown_table import markdown

KINDS = {"equal": 0.0, "one holds half": 0.5, "one holds 80 %": 0.8, "lognormal": None}
Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class Spread:
    """Deviations of the log odds of being right."""

    middle: float = 2.0
    seeds: float = 0.25
    lots: float = 0.7
    both: float = 0.2  # of each lot for each seed
    parts: float = 1.2


def lot_sizes(kind: str, lots: int, each: int = 40) -> NDArray[np.int64]:
    """Parts of each of so many lots, about `each` x `lots` together."""
    largest = KINDS[kind]
    if largest is None:
        shares = np.exp(np.random.default_rng(lots).normal(size=lots))
        shares /= shares.sum()
    elif largest == 0:
        shares = np.full(lots, 1 / lots)
    else:
        shares = np.array([largest, *[(1 - largest) / (lots - 1)] * (lots - 1)])
    sizes: NDArray[np.int64] = np.rint(shares * lots * each).astype(np.int64).clip(1)
    return sizes


def simulate(
    rng: np.random.Generator, grids: int, seeds: int, lot: NDArray[np.int64], spread: Spread
) -> tuple[Answers, float]:
    """Answers (grids, S, N) on fresh seeds, lots and parts, and the true share of right ones."""
    n_lots, n = lot.max() + 1, len(lot)
    own = spread if seeds > 1 else Spread(spread.middle, 0, spread.lots, 0, spread.parts)
    of_lots = rng.normal(0, own.lots, (grids, 1, n_lots))
    of_both = rng.normal(0, own.both, (grids, seeds, n_lots))
    odds = own.middle + (of_lots + of_both)[:, :, lot]
    odds += rng.normal(0, own.seeds, (grids, seeds, 1)) + rng.normal(0, own.parts, (grids, 1, n))
    deviation = np.sqrt(own.seeds**2 + own.lots**2 + own.both**2 + own.parts**2)
    quantiles = (np.arange(100_000) + 0.5) / 100_000
    truth = float(expit(own.middle + deviation * ndtri(quantiles)).mean())
    return rng.random(odds.shape) < expit(odds), truth


def covered(found: Intervals, truth: float) -> float:
    """Share of the intervals that hold the truth."""
    return float(((found.low <= truth) & (truth <= found.high)).mean())


def main(grids: int = 2000) -> None:
    """Prints the table."""
    spreads = {"lots differ": Spread(), "near 100 %": Spread(middle=3.5), "alike": Spread(lots=0)}
    rows = []
    for kind in KINDS:
        for lots in (3, 5, 11, 20):
            sizes = lot_sizes(kind, lots)
            for seeds in (1, 3):
                row = [kind, str(lots), str(seeds)]
                for spread in spreads.values():
                    rng = np.random.default_rng(lots)
                    lot = np.repeat(np.arange(lots), sizes)
                    answers, truth = simulate(rng, grids, seeds, lot, spread)
                    found = intervals(answers, lot)
                    known = 2 * ndtri((1 + LEVEL) / 2) * found.mean.std()
                    width = (found.high - found.low).mean() / known
                    row.append(f"{100 * covered(found, truth):.1f} ({width:.2f})")
                rows.append(row)
    print(markdown(["lots", "how many", "seeds", *spreads], rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
