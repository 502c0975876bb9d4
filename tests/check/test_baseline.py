"""A baseline is read whole or refused."""

import json
from pathlib import Path

import pytest

from gaikan.check.baseline import Baseline
from gaikan.check.frozen_file import read_frozen
from gaikan.check.frozen_networks import changed
from gaikan.errors import ConfigError

RESULTS = Path(__file__).parents[2] / "results"


def test_the_frozen_networks_of_the_smoke_grid_are_small_and_compute_what_they_did() -> None:
    path = RESULTS / "baseline.json"
    frozen = read_frozen(path, Baseline.read(path).frozen)
    assert frozen is not None
    assert [network.name for network in frozen.networks] == ["cnn-vanilla", "mlp-vanilla"]
    assert sum(file.stat().st_size for file in RESULTS.glob("baseline.*")) < 2_000_000
    assert list(changed(frozen)) == []


def test_a_baseline_without_a_test_source_is_refused(tmp_path: Path) -> None:
    held = json.loads((RESULTS / "baseline.json").read_text())
    del held["data"]["test"]
    (tmp_path / "b.json").write_text(json.dumps(held))
    with pytest.raises(ConfigError, match=r"b\.json: .*data is that of train and of test"):
        Baseline.read(tmp_path / "b.json")
