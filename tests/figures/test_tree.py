"""The picture of which variant to choose."""

from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from picking import picked
from small_run import FAKES, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def test_the_tree_shows_every_variant_and_marks_the_picks(run: Path, tmp_path: Path) -> None:
    picked(run, "[stage.'組立']\n[stage.last]\nescape_bound = { max = 0.0001 }\n", tmp_path)
    root = ElementTree.parse(run / "figures/tree.svg").getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("mean_embedding") == 3
    assert texts.count("head") == 1
    assert texts.count("組立") == 1
    assert "last: nothing qualifies" in texts
    flags = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if box.get("rx") == "11"]
    ends = [float(box.attrib["x"]) + float(box.attrib["width"]) for box in flags]
    assert len(ends) == 1
    assert max(ends) < 380  # what a telephone shows before anything is moved sideways
    assert "last" not in texts
    table = pd.read_parquet(run / "predictions.parquet")
    test = table[(table["split"] == "test") & (table["variant"] == FAKES[0].variant)]
    share = (test["label"].astype(str) == test["predicted"].astype(str)).mean()
    assert f"{100 * share:.1f} %" in texts
