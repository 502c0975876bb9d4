"""What picking reads of a run's predictions."""

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
        for network in run.networks:
            own = table[(table["variant"] == network.variant) & (table["split"] == "test")]
            known = own.set_index("sample")["mode"].reindex(network.test.sample)
            assert network.test.mode is not None
            found = np.array([*run.modes, None], dtype=object)[network.test.mode]
            assert found.tolist() == known.astype(object).where(known.notna(), None).tolist()
