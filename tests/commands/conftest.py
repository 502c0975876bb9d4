"""A small trained run and the baseline made of it, for the tests of `gaikan check`."""

import shutil
from pathlib import Path

import here
import pyarrow.parquet as pq
import pytest
import smoke_parts
from checked_run import check, edit

from gaikan.config.toml_files import load_config

TOML = """
seeds = 4
references = "none"
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla", "triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 3
batch_size = 32
precision = "fp32"
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`run`, a trained run, and `baseline.json`, made of it."""
    path = tmp_path_factory.mktemp("check")
    for part in ("train", "test"):
        pq.write_table(smoke_parts.table(part, 12), path / f"{part}.parquet")
    (path / "small.toml").write_text(TOML.format(folder=path))
    here.train_here(load_config(path / "small.toml", {}), path / "run")
    edit(path / "run", lambda manifest: manifest["machine"].update(commit="c" * 40))
    assert check(path / "run", path / "baseline.json", "--update") == 0
    return path


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    for name in ("manifest.json", "predictions.parquet"):
        (tmp_path / "run").mkdir(exist_ok=True)
        shutil.copy(folder / "run" / name, tmp_path / "run" / name)
    (tmp_path / "run/store").symlink_to(folder / "run/store")
    return tmp_path / "run"
