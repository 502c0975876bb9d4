"""Every decision of a run can be traced to the file and the lot of its part."""

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from runner import bench, gaikan
from tiny import write_class

pytestmark = pytest.mark.timeout(300)
TOML = """
seeds = 1
references = "none"
[data]
train = "train"
test = "test"
[grid]
arch = ["mlp"]
style = ["vanilla"]
anchor = ["mean_embedding"]
[train]
epochs = 1
batch_size = 16
[timing]
enabled = false
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two classes in lots; one test part is a copy of a training part."""
    folder = tmp_path_factory.mktemp("traced")
    for part, seed in (("train", 0), ("test", 40)):
        for place, name in enumerate(("ok", "spur")):
            for lot in range(4):
                write_class(folder / part / name / f"{part}-{lot}", 4 * place, 6, seed + lot, 40)
    shutil.copy(folder / "train/ok/train-1/002.png", folder / "test/ok/test-3/copy.png")
    (folder / "traced.toml").write_text(TOML)
    assert bench(folder / "traced.toml", "--out", folder / "run", "--no-pictures") == 0
    assert gaikan("report", folder / "run") == 0
    return folder / "run"


def test_each_prediction_names_file_and_lot(run: Path) -> None:
    whole = pd.read_parquet(run / "predictions.parquet")
    table = whole[whole["variant"] == "mlp-vanilla-mean_embedding"]
    assert list(table)[-2:] == ["group", "origin"]
    for split, part in (("validation", "train"), ("test", "test")):
        own = table[table["split"] == split]
        assert own["origin"].is_unique
        for origin, label, lot in own[["origin", "label", "group"]].astype(str).to_numpy():
            assert (run.parent / part / origin).is_file()
            assert origin.split("/")[:2] == [label, lot]
    assert table["split"].eq("test").sum() == 2 * 4 * 6 + 1


def test_what_tells_where_parts_come_from_is_held_once(run: Path) -> None:
    file = pq.ParquetFile(run / "predictions.parquet")
    place = file.schema_arrow.names.index("origin")
    assert "RLE_DICTIONARY" in file.metadata.row_group(0).column(place).encodings


def test_a_leak_names_both_files(run: Path) -> None:
    with (run / "leaks.csv").open(newline="") as file:
        exact = [row for row in csv.DictReader(file) if row["kind"] == "exact"]
    assert [(row["first_origin"], row["second_origin"]) for row in exact] == [
        ("ok/train-1/002.png", "ok/test-3/copy.png")
    ]


def test_the_page_names_file_and_lot_of_each_part(run: Path) -> None:
    page = (run / "report.html").read_text()
    data = json.loads(page.partition('<script type="application/json" id="data">')[2].split("<")[0])
    table = pd.read_parquet(run / "predictions.parquet")
    test = table[(table["split"] == "test") & (table["variant"] == "mlp-vanilla-mean_embedding")]
    assert data["origin"] == test["origin"].tolist()
    assert [data["lots"][lot] for lot in data["lot"]] == test["group"].tolist()
    wrong = test[test["label"].astype(str) != test["predicted"].astype(str)]
    shown = page[page.index('class="gallery"') :] if len(wrong) else ""
    for row in wrong.nlargest(3, "margin").itertuples():
        assert f'<span class="small origin">{row.origin}</span>' in shown
        assert f"lot {row.group}" in shown
