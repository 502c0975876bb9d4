"""Tables whose contrast float32 cannot hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gaikan.data import large
from gaikan.data.sources import read_source
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)

UNIT = np.random.default_rng(0).random((30, 16))


def table(path: Path, values: NDArray[Any], kind: str = "parquet") -> str:
    columns = [f"data{i}" for i in range(16)]
    frame = pd.DataFrame(values, columns=columns)
    if kind == "lists":
        frame = pd.DataFrame({"image": [*values.reshape(-1, 4, 4).tolist()]})
    frame["label"] = np.arange(len(values)) % 2
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("kind", ["parquet", "csv", "lists", "large"])
@pytest.mark.parametrize("values", [UNIT + 1e6, (UNIT * 100).astype(np.int64) + 10**9])
def test_an_offset_that_leaves_no_contrast_is_refused(
    tmp_path: Path, kind: str, values: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "large":
        monkeypatch.setattr(large, "LARGE", 0)
    path = tmp_path / ("lot.csv" if kind == "csv" else "lot.parquet")
    with pytest.raises(DataError, match="single precision keeps hardly anything; subtract one"):
        read_source(table(path, values, kind), size=(4, 4))


@pytest.mark.parametrize(
    "values",
    [
        UNIT,
        UNIT + 1000,
        (UNIT > 0.5) + 40_000.0,  # two levels, which float32 holds
        np.full((30, 16), 0.1),  # no contrast at all: said elsewhere
        UNIT.astype(np.float32) * 3 + 1e5,
    ],
)
def test_numbers_that_float32_holds_are_read(tmp_path: Path, values: NDArray[Any]) -> None:
    frames = read_source(table(tmp_path / "lot.parquet", values), size=(4, 4))
    np.testing.assert_array_equal(frames.images.reshape(30, 16), values.astype(np.float32))
