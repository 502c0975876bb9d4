"""Learning curves written by hand."""

import pandas as pd

from gaikan.evaluation.error_counts import ALL_PARTS, ErrorCounts


def counts(*wrong: int) -> ErrorCounts:
    """Of 1,000 parts (`bent` 100 of them) after 100, 200, 400, ... images."""
    rows = [
        {
            "variant": "mlp-triplet-mean_embedding",
            "seed": seed,
            "images": 100 * 2**i,
            "mode": mode,
            "parts": 1000 // of,
            "wrong": n // of,
        }
        for seed in (0, 1)
        for i, n in enumerate(wrong)
        for mode, of in ((ALL_PARTS, 1), ("bent", 10))
    ]
    return ErrorCounts(pd.DataFrame(rows))
