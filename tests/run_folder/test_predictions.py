"""`predictions.parquet` is read whole or refused."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaikan.errors import ConfigError
from gaikan.run_folder.predictions import read_predictions

ROWS = 4


COLUMNS = ("variant", "seed", "label")


PREDICTIONS: dict[str, tuple[str, Any, str]] = {
    "seeds of text": ("seed", pa.array(["a"] * ROWS), "column 'seed' holds string"),
    "seeds of time": ("seed", pa.array([1] * ROWS, pa.duration("s")), "holds duration"),
    "an empty seed": ("seed", pa.array([1, 2, 3, None]), "column 'seed' has empty cells"),
    "names of numbers": ("variant", pa.array([1] * ROWS), "column 'variant' holds int64"),
    "nested names": ("label", pa.array([[1]] * ROWS), "column 'label' holds list"),
    "bytes": ("label", pa.array([b"\xff"] * ROWS), "column 'label' holds binary"),
    "no text": ("label", pa.array([b"\xff"] * ROWS).view(pa.string()), "cannot be read"),
}


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_odd_predictions_are_refused(kind: str, tmp_path: Path) -> None:
    name, column, words = PREDICTIONS[kind]
    held = {"variant": pa.array(["x"] * ROWS), "seed": [0] * ROWS, "label": ["ok"] * ROWS}
    good = tmp_path / "good.parquet"
    pq.write_table(pa.table(held), good)
    assert read_predictions(good, COLUMNS, ()).num_rows == ROWS
    pq.write_table(pa.table(held | {name: column}), tmp_path / "odd.parquet")
    with pytest.raises(ConfigError, match=r"odd\.parquet: ") as caught:
        read_predictions(tmp_path / "odd.parquet", COLUMNS, ())
    assert words in str(caught.value)


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    arrays = [pa.array(["x"] * ROWS), pa.array([0] * ROWS), *[pa.array(["ok"] * ROWS)] * 2]
    table = pa.Table.from_arrays(arrays, [*COLUMNS, "label"])
    pq.write_table(table, tmp_path / "odd.parquet")
    with pytest.raises(ConfigError, match="column 'label' occurs more than once"):
        read_predictions(tmp_path / "odd.parquet", COLUMNS, ())
