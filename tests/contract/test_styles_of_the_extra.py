"""Styles of the extra `gaikan[styles]` reach scores, timing, picks and bundles as others do."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import gaikan
from tiny import write_class

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.latency_rows import read_rows
from gaikan.run_folder.manifest import read_manifest
from gaikan.styles import STYLES
from gaikan.system.store import Store
from gaikan.training.stored_network import StoredNetwork

pytestmark = pytest.mark.timeout(300)

EXTRA = [name for name, style in STYLES.items() if style.package is not None]
TOML = """
seeds = 1
references = "none"
[data]
train = "{folder}/parts"
test = "{folder}/later"
ok = "ok"
[grid]
arch = ["mlp"]
style = {styles}
anchor = ["mean_embedding"]
[style.supcon]
temperature = 0.2
[train]
epochs = 2
batch_size = 16
[timing]
plan = "quick"
runtimes = ["onnxruntime-fp32"]
threads = [1]
[stage.line]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of those styles alone."""
    folder = tmp_path_factory.mktemp("extra")
    for seed, part in enumerate(("parts", "later")):
        for place, name in enumerate(("ok", "open", "spur")):
            write_class(folder / part / name, 3 * place, 30, seed)
    (folder / "grid.toml").write_text(TOML.format(folder=folder, styles=json.dumps(EXTRA)))
    assert gaikan("bench", folder / "grid.toml", "--out", folder / "run") == 0
    return folder / "run"


def test_they_are_scored_timed_and_picked(run: Path) -> None:
    variants = {f"mlp-{style}-mean_embedding" for style in EXTRA}
    table = pd.read_csv(run / "accuracy.csv").query("split == 'test'").set_index("variant")
    assert set(table.index) == variants
    assert table["accuracy"].min() > 0.5  # of three classes
    assert {row.variant for row in read_rows(run / "latency.csv") if row.p50_ms} == variants
    picks = json.loads((run / "picks.json").read_bytes())
    assert picks["stages"]["line"]["pick"]["variant"] in variants


def test_their_options_and_parameters_are_stored(run: Path) -> None:
    networks = {entry.recipe.style: entry for entry in read_manifest(run).networks}
    assert networks["supcon"].recipe.options == {"temperature": 0.2}
    stored = Store(run / "store").load(networks["proxy_anchor"].store.trained)
    assert stored is not None
    (proxies,) = StoredNetwork.unpack(stored).style_tensors.values()
    assert proxies.shape == (3, 128)


@pytest.mark.parametrize("style", EXTRA)
def test_a_bundle_decides_as_the_run_did(style: str, run: Path, tmp_path: Path) -> None:
    variant, bundle = f"mlp-{style}-mean_embedding", tmp_path / "m.gaikan"
    assert gaikan("export", run, "--variant", variant, "-o", bundle) == 0
    assert Bundle.open(bundle).card.style == style
    later, said = run.parent / "later", tmp_path / "said.csv"
    assert gaikan("predict", bundle, later, "--csv", said) == 0
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'test'")
    own = table[table["variant"] == variant].set_index("sample")["predicted"]
    files = sorted(later.rglob("*.png"))
    found = pd.read_csv(said).set_index("image")["class"]
    expected = [own[i] for i in range(len(files))]
    np.testing.assert_array_equal(found[[str(file) for file in files]], expected)
