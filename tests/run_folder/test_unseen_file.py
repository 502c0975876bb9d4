"""`unseen.parquet` is read network by network and mode by mode, whole or not at all."""

from pathlib import Path

import pandas as pd
import pytest

from gaikan.errors import ConfigError
from gaikan.run_folder.unseen_file import UNSEEN_PARTS, read_unseen


def table() -> pd.DataFrame:
    """Two variants and two modes; a row of each kind, and a second good one of the first."""
    rows = [
        (variant, 3, mode, split, sample, label, "ok" if sample == 7 else "bent", sample - 6, 0.5)
        for variant in ("mlp-a-head", "cnn-a-head")
        for mode in ("crack", "bent")
        for split, sample, label in (
            ("test", 9, mode),
            ("validation", 5, "ok"),
            ("validation", 7, "ok"),
            ("validation", 2, mode),
        )
    ]
    names = ("variant", "seed", "without", "split", "sample", "label", "predicted")
    return pd.DataFrame(rows, columns=[*names, "ok_margin", "novelty_p"]).astype(
        {"ok_margin": "f4", "novelty_p": "f4"}
    )


def written(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(folder / UNSEEN_PARTS)
    return folder


def test_each_mode_of_each_network_has_its_parts_whatever_their_order(tmp_path: Path) -> None:
    shuffled = table().sample(frac=1, random_state=0)
    found = read_unseen(written(tmp_path, shuffled), "ok")
    assert set(found) == {("mlp-a-head", 3), ("cnn-a-head", 3)}
    for modes in found.values():
        assert {mode.mode for mode in modes} == {"bent", "crack"}
        for mode in modes:
            assert sorted(mode.good.sample) == [5, 7]
            assert mode.validation.sample.tolist() == [2]
            assert mode.test.sample.tolist() == [9]
            assert mode.test.ok_margin.tolist() == [3]
            assert dict(zip(mode.good.sample, mode.good.called_good, strict=True)) == {
                5: False,
                7: True,
            }


def test_a_network_that_lacks_a_mode_is_left_out_and_a_mode_without_validation_parts_too(
    tmp_path: Path,
) -> None:
    whole = table()
    lacking = whole[(whole["variant"] != "mlp-a-head") | (whole["without"] != "bent")]
    found = read_unseen(written(tmp_path, lacking), "ok")
    assert set(found) == {("cnn-a-head", 3)}
    other = (lacking["variant"] != "cnn-a-head") | (lacking["without"] != "crack")
    assert read_unseen(written(tmp_path, lacking[other]), "ok") == {}
    of_test = whole[(whole["without"] != "bent") | (whole["split"] == "test")]
    found = read_unseen(written(tmp_path, of_test), "ok")
    assert {mode.mode for modes in found.values() for mode in modes} == {"crack"}
    assert len(found) == 2


def test_nothing_is_read_without_the_file_or_a_good_class(tmp_path: Path) -> None:
    assert read_unseen(tmp_path, "ok") == {}
    assert read_unseen(written(tmp_path, table()), None) == {}


def test_of_a_file_without_rows_there_is_nothing_and_a_p_value_of_none_is_refused(
    tmp_path: Path,
) -> None:
    text = table().select_dtypes(exclude="number").columns
    nothing = table().astype(dict.fromkeys(text, "category"))[:0]
    assert read_unseen(written(tmp_path, nothing), "ok") == {}
    for odd in (None, 0.0, 1.5):
        frame = table()
        frame.loc[3, "novelty_p"] = odd
        with pytest.raises(ConfigError, match=r"unseen\.parquet: column 'novelty_p' has cells"):
            read_unseen(written(tmp_path, frame), "ok")


@pytest.mark.parametrize("column", ["without", "ok_margin", "novelty_p", "sample"])
def test_a_file_that_lacks_a_column_is_refused(column: str, tmp_path: Path) -> None:
    written(tmp_path, table().drop(columns=column))
    with pytest.raises(ConfigError, match=rf"unseen\.parquet: column '{column}' is missing"):
        read_unseen(tmp_path, "ok")
