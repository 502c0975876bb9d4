"""What picking reads of a run's predictions."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_run import write_run

from gaikan.errors import ConfigError
from gaikan.run_folder.decisions import RunFiles
from gaikan.variants import Variant


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


def test_the_novelty_of_each_part_is_read_and_only_references_lack_it(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", seeds=1)
    table = pd.read_parquet(out / "predictions.parquet")
    known = RunFiles.read(out).networks
    for network in known:
        own = table[(table["variant"] == network.variant) & (table["split"] == "test")]
        np.testing.assert_array_equal(network.test.novelty_p, own["novelty_p"])
        np.testing.assert_array_equal(
            network.test.at(np.array([3])).novelty_p, own["novelty_p"][3:4]
        )
    first = table["variant"] == known[0].variant
    table["novelty_p"] = table["novelty_p"].mask(first & (table["split"] == "test"))
    table.to_parquet(out / "predictions.parquet")
    with pytest.raises(ConfigError, match=f"'novelty_p' of {known[0].variant} has cells"):
        RunFiles.read(out)
    scores = pd.read_csv(out / "accuracy.csv")
    reference = Variant.reference("knn")
    renamed = scores["variant"] == known[0].variant
    scores.loc[renamed, "variant"] = reference.name
    for axis in ("arch", "style", "anchor"):
        scores.loc[renamed, axis] = getattr(reference, axis)
    scores.to_csv(out / "accuracy.csv", index=False)
    table["variant"] = table["variant"].astype(str).mask(first, reference.name)
    table.to_parquet(out / "predictions.parquet")
    assert len(RunFiles.read(out).networks) == len(known) - 1


@pytest.mark.parametrize("told", ["validation", "test"])
def test_lots_that_one_source_alone_tells_are_no_lot_of_the_other(
    told: str, tmp_path: Path
) -> None:
    out = write_run(tmp_path / "run", seeds=1, lots=8)
    table = pd.read_parquet(out / "predictions.parquet")
    table["group"] = table["group"].where(table["split"] == told, None)
    table.to_parquet(out / "predictions.parquet")
    for network in RunFiles.read(out).networks:
        lots = {"validation": network.validation.group, "test": network.test.group}
        own = lots.pop(told)
        assert own is not None
        assert len(np.unique(own)) == 8
        assert [*lots.values()] == [None]
