"""Mistakes that are planted in the harness, on small trainings: `gaikan check` tells them.

`bench/regressions.py` does the same on the smoke grid; bench/README.md has its table.
"""

from collections.abc import Callable
from pathlib import Path

import here
import pyarrow.parquet as pq
import pytest
import regressions
import smoke_parts

from gaikan.check.baseline import Baseline, make
from gaikan.check.outcome import Outcome, Settings, check
from gaikan.check.run_files import Tested, lots
from gaikan.check.verdicts import WORSE

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Tested:
    """A run without a mistake."""
    folder = tmp_path_factory.mktemp("regressions")
    for part in ("train", "test"):
        pq.write_table(smoke_parts.table(part, 18), folder / f"{part}.parquet")
    return here.train_here(small(folder), folder / "right")
