"""Runs that are repeated, changed or partly failing; `faults/` has those that are killed."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from driver import scores
from runner import bench, gaikan
from tiny import write_class

pytestmark = pytest.mark.timeout(120)

TOML = """
seeds = 1
references = "none"
[data]
train = "{folder}/parts"
[grid]
arch = ["mlp"]
style = ["siamese", "triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 12
batch_size = 16
[style.siamese]
margin = {margin}
"""


def write_toml(path: Path, margin: float) -> Path:
    path.write_text(TOML.format(folder=path.parent, margin=margin))
    return path


def entries(out: Path) -> set[str]:
    """Names of the store's entries, which tell content from content: it holds training times."""
    return {path.name for path in (out / "store").glob("*.safetensors")}


# What a run stores besides its cells: which images are copies, and what timing needs.
SHARED = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, `grid.toml` for two cells, and `out`, an undisturbed run of them."""
    path = tmp_path_factory.mktemp("resume")
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(path / "parts" / name, 3 * place, 20, seed=0, contrast=20)
    assert bench(write_toml(path / "grid.toml", 1.0), "--out", path / "out") == 0
    return path


def test_the_scores_tell_one_training_from_another(folder: Path) -> None:
    table = pd.read_csv(folder / "out/accuracy.csv")
    assert table["accuracy"].between(0.4, 0.95).any()
    assert table["accuracy"].nunique() > 1


def test_two_runs_into_two_folders_say_the_same(folder: Path) -> None:
    assert bench(folder / "grid.toml", "--out", folder / "again", "--no-pictures") == 0
    assert scores(folder / "again") == scores(folder / "out")
    # Networks are stored with their training times, embeddings are the same to the last bit.
    assert len(entries(folder / "again") & entries(folder / "out")) == 2 + SHARED


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A run folder with the store of the undisturbed run."""
    shutil.copytree(folder / "out/store", tmp_path / "out/store")
    return tmp_path / "out"


def test_a_changed_option_retrains_its_style_and_no_other(folder: Path, copy: Path) -> None:
    before = entries(copy)
    assert bench(write_toml(folder / "changed.toml", 0.7), "--out", copy, "--no-pictures") == 0
    assert before < entries(copy)
    assert len(entries(copy)) == 4 + SHARED + 2  # of one cell: its network, and its embeddings
    networks = json.loads((copy / "manifest.json").read_text())["networks"]
    options = {network["network"]: network["recipe"]["options"] for network in networks}
    assert options["mlp-siamese"]["margin"] == 0.7


@pytest.fixture
def whole_copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run."""
    shutil.copytree(folder / "out", tmp_path / "whole")
    return tmp_path / "whole"


def test_what_was_altered_in_a_run_is_written_anew(folder: Path, whole_copy: Path) -> None:
    files = json.loads((whole_copy / "manifest.json").read_text())["files"]
    assert {"accuracy.csv", "predictions.parquet", "figures/accuracy.png"} <= files.keys()
    before = entries(whole_copy)
    for names in (["accuracy.csv"], ["figures/accuracy.png"], [*files]):
        for name in names:
            (whole_copy / name).write_text("garbage\n")
        assert bench(folder / "grid.toml", "--out", whole_copy) == 0
        for name in files:
            assert (whole_copy / name).read_bytes() == (folder / "out" / name).read_bytes(), name
    assert entries(whole_copy) == before


def test_pictures_of_variants_that_are_no_more_go(folder: Path, whole_copy: Path) -> None:
    for mine in ("confusion/mine.csv", "figures/scatter-mine.png"):
        (whole_copy / mine).write_text("mine")
    text = (folder / "grid.toml").read_text().replace('["siamese", "triplet"]', '["triplet"]')
    (folder / "narrow.toml").write_text(text)
    assert bench(folder / "narrow.toml", "--out", whole_copy) == 0
    left = [path.name for path in whole_copy.rglob("*") if "siamese" in path.name]
    assert left == []
    for mine in ("confusion/mine.csv", "figures/scatter-mine.png"):
        assert (whole_copy / mine).read_text() == "mine"
    assert (whole_copy / "confusion/mlp-triplet-mean_embedding.png").exists()


@pytest.mark.parametrize("content", ["garbage\n", "", "\xff\n"])
@pytest.mark.parametrize("name", ["summary", "classes"])
def test_a_report_of_a_damaged_table_is_one_line(
    whole_copy: Path, name: str, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (whole_copy / f"{name}.csv").write_text(content, encoding="latin-1")
    assert gaikan("report", whole_copy) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert f"{name}.csv: " in error
    assert "run `gaikan bench` on this folder again" in error


def test_a_diverging_cell_is_reported_and_the_others_have_their_rows(
    folder: Path, copy: Path
) -> None:
    before = entries(copy)
    assert bench(write_toml(folder / "diverging.toml", 1e30), "--out", copy) == 1
    assert entries(copy) == before
    (failure,) = json.loads((copy / "manifest.json").read_text())["failed"]
    assert failure["cell"] == "mlp-siamese seed 0"
    parts = ("arch", "style", "seed", "protocol")
    assert [failure[part] for part in parts] == ["mlp", "siamese", 0, "held-out"]
    assert failure["reason"].startswith("the loss became inf in epoch 1 of ")
    assert failure["reason"] in (copy / "report.md").read_text()
    table, whole = (pd.read_csv(out / "accuracy.csv") for out in (copy, folder / "out"))
    expected = whole[whole["style"].eq("triplet")].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected)
