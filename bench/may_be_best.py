"""How many variants may be the best, and how often the truly best is lost, by simulation.

`python bench/may_be_best.py [GRIDS]` draws GRIDS test parts of 1,000 (default 300) a line, judged
by 19 variants of one or three networks each, and prints a Markdown table. Either the variants are
as far apart as 19 of the terminals, or all are equally good (then the first counts as the best),
alike or unlike in how much they vary from lot to lot and seed to seed. "By Holm": how many a
correction over all pairs does not tell from the one in front.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from gaikan.evaluation.comparisons import Comparisons, compare
from gaikan.report.markdown_table import markdown

PARTS = 1000
ACCURACIES = [
    *(0.904, 0.903, 0.888, 0.838, 0.750, 0.707, 0.686, 0.649, 0.647, 0.625),
    *(0.623, 0.596, 0.574, 0.567, 0.543, 0.535, 0.449, 0.388, 0.196),
]
LOTS, SEEDS, HARD, OWN = 0.5, 0.25, 1.0, 1.0  # deviations of log odds: own by lot, by seed; parts


def simulate(
    rng: np.random.Generator, accuracy: NDArray[np.float64], unlike: float, lots: int, seeds: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Answers (V, S, N) of variants of this `accuracy` (V,), and the lot of each part (N,)."""
    n = len(accuracy)
    lot = np.repeat(np.arange(lots), PARTS // lots)
    varies = np.exp(np.random.default_rng(0).normal(0, unlike, (n, 1, 1)))
    own = np.square(varies) * (LOTS**2 + SEEDS**2 * (seeds > 1))
    # A mean of expit is about a normal distribution's share (Johnson, 1994: deviation 1.7).
    wider = np.sqrt(1.7**2 + own + LOTS**2 + HARD**2 + OWN**2)
    odds = wider * ndtri(accuracy)[:, None, None]
    of_lots = rng.normal(0, LOTS, (1, 1, lots)) + varies * rng.normal(0, LOTS, (n, 1, lots))
    of_seeds = varies * rng.normal(0, SEEDS * (seeds > 1), (n, seeds, 1))
    parts = rng.normal(0, HARD, (1, 1, len(lot))) + rng.normal(0, OWN, (n, 1, len(lot)))
    chance = expit(odds + of_lots[:, :, lot] + of_seeds + parts)
    return rng.random(chance.shape) < chance, lot


def by_holm(found: Comparisons) -> int:
    """How many variants the correction over all pairs does not tell from the best in front."""
    ahead = np.where(found.difference > 0, found.first, found.second)
    behind = np.where(found.difference > 0, found.second, found.first)
    n = found.n_variants
    front = np.setdiff1d(np.arange(n), behind[found.difference != 0])[0]
    return n - int((found.differs & (ahead == front)).sum())


def main(grids: int = 300) -> None:
    """Prints the table."""
    apart, equal = np.array(ACCURACIES), np.full(len(ACCURACIES), 0.8)
    worlds = {
        "far apart": (apart, 0.0),
        "equal, alike": (equal, 0.0),
        "equal, unlike": (equal, 0.6),
    }
    rows = []
    for name, (accuracy, unlike) in worlds.items():
        for lots in (3, 5, 20, 25):
            for seeds in (1, 3):
                rng = np.random.default_rng(lots)
                may, holm, lost = 0, 0, 0
                for _ in range(grids):
                    found = compare(*simulate(rng, accuracy, unlike, lots, seeds))
                    may += int(found.may_be_best.sum())
                    holm += by_holm(found)
                    lost += not found.may_be_best[0]
                counts = [f"{may / grids:.1f}", f"{holm / grids:.1f}", f"{100 * lost / grids:.1f}"]
                rows.append([name, str(lots), str(seeds), *counts])
    header = ["variants", "lots", "seeds", "may be the best", "by Holm", "best lost, %"]
    print(markdown(header, rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
