"""A run folder with hostile names, another with a timing and picks, and a browser."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from browser import chromium
from hostile_parts import write_table
from runner import bench, gaikan
from selenium.webdriver import Chrome
from small_run import Fake, row

from gaikan.run_folder.latency_rows import write_rows

STAGES = """
[stage.line]
threads = { max = 1 }
escape_bound = { max = 0.12 }
[stage.never]
accuracy = { min = 1.0 }
"""
TOML = """
name = "tiny"
seeds = 2
references = "none"
[data]
train = '{folder}/train "1" & 2.parquet'
test = '{folder}/test <i>.parquet'
shape = "12x14"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla", "triplet"]
[timing]
enabled = false
[train]
epochs = 2
batch_size = 32
"""


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; its data source is gone."""
    folder = tmp_path_factory.mktemp("html")
    write_table(folder / 'train "1" & 2.parquet', 150, 0)
    write_table(folder / "test <i>.parquet", 100, 1)
    (folder / "tiny.toml").write_text(TOML.format(folder=folder))
    assert bench(folder / "tiny.toml", "--out", folder / "out") == 0
    for table in folder.glob("*.parquet"):
        table.unlink()
    return folder / "out"


@pytest.fixture(scope="session")
def timed(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with latencies of two machines, picks of both stages, a report in Japanese."""
    copy = tmp_path_factory.mktemp("timed") / "out"
    shutil.copytree(out, copy)
    fakes = [
        Fake(variant, 1, {"onnxruntime-fp32": 0.05, "torch-fp32": 0.3})
        for variant in pd.read_csv(out / "summary.csv")["variant"]
        if not variant.startswith("reference-")
    ]
    network = json.loads((out / "manifest.json").read_text())["networks"][0]["store"]["trained"]
    rows = [
        row(f, r, 1, machine=m, network=network)
        for m in ("here", "<b>pi")
        for f in fakes
        for r in f.p50_ms
    ]
    write_rows(copy.parent / "there.csv", rows)
    table = copy.parent / "there.csv"
    (copy.parent / "stages.toml").write_text(STAGES)
    assert gaikan("report", copy, "--latency", table) == 0
    assert gaikan("pick", copy, "--stages", copy.parent / "stages.toml") == 1
    assert gaikan("report", copy, "--lang", "ja") == 0
    return copy


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
