"""Where each image of a source can be looked up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import write_class

from gaikan.data.sources import read_source


@pytest.mark.parametrize(
    "given", ["parts", "parts/", "./parts", "../{here}/parts", "{whole}/parts"]
)
def test_a_file_of_a_folder_is_placed_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    for name in ("ok/lot2", "spur"):
        write_class(tmp_path / "parts" / name, 0, 2, 0)
    monkeypatch.chdir(tmp_path)
    frames = read_source(given.format(here=tmp_path.name, whole=tmp_path))
    places = [frames.place(i) for i in range(len(frames))]
    assert places == [f"{name}/00{i}.png" for name in ("ok/lot2", "spur") for i in (0, 1)]
    assert frames.take(np.array([3])).place(0) == "spur/001.png"


@pytest.mark.parametrize("given", ["parts.csv", "./parts.csv", "../{here}/parts.csv"])
@pytest.mark.parametrize("cell", ["pictures/{}", "pictures/../pictures/{}", "{whole}/pictures/{}"])
def test_a_file_of_a_table_is_placed_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, cell: str
) -> None:
    write_class(tmp_path / "pictures", 0, 2, 0)
    paths = [cell.format(f"00{i}.png", whole=tmp_path) for i in (0, 1)]
    pd.DataFrame({"path": paths, "label": ["a", "b"]}).to_csv(tmp_path / "parts.csv", index=False)
    monkeypatch.chdir(tmp_path)
    frames = read_source(given.format(here=tmp_path.name))
    expected = "pictures/001.png" if "whole" not in cell else str(tmp_path / "pictures/001.png")
    assert frames.place(1) in (expected, "pictures/001.png")
    assert (tmp_path / frames.place(1)).is_file()


def test_a_row_of_a_table_is_placed_by_its_number(tmp_path: Path) -> None:
    pd.DataFrame({"data0": [1, 2], "label": ["a", "b"]}).to_csv(tmp_path / "t.csv", index=False)
    frames = read_source(str(tmp_path / "t.csv"))
    assert [frames.place(i) for i in (0, 1)] == ["t.csv:0", "t.csv:1"]
    (tmp_path / "parts").mkdir()
    for name in ("a", "b"):
        pd.DataFrame({"data0": [1, 2], "label": ["a", "b"]}).to_parquet(
            tmp_path / f"parts/{name}.parquet"
        )
    frames = read_source(str(tmp_path / "parts"))
    assert [frames.place(i) for i in (0, 3)] == ["a.parquet:0", "b.parquet:1"]


def test_a_row_of_what_is_no_file_has_the_name_of_its_source() -> None:
    assert read_source("terminals", "test").place(7) == "terminals:7"
