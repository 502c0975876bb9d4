"""What picking reads of a run's predictions."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from small_run import write_run

from gaikan.run_folder.decisions import RunFiles


def test_a_part_without_a_mode_has_none_of_the_names(tmp_path: Path) -> None:
    """Whether the column is of categories or of text."""
    out = write_run(tmp_path / "run", seeds=1)
    table = pd.read_parquet(out / "predictions.parquet")
    lacking = table.index % 7 == 0
    for column in (table["mode"], table["mode"].astype(str)):
        table["mode"] = column.where(~lacking, None)
        table.to_parquet(out / "predictions.parquet")
        run = RunFiles.read(out)
        for network, split in product(run.networks, ("validation", "test")):
            part = network.test if split == "test" else network.validation
            own = table[(table["variant"] == network.variant) & (table["split"] == split)]
            known = own.set_index("sample")["mode"].reindex(part.sample)
            assert part.mode is not None
            found = np.array([*run.modes, None], dtype=object)[part.mode]
            assert found.tolist() == known.astype(object).where(known.notna(), None).tolist()
