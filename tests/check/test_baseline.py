"""A baseline is read whole or refused."""

import json
from pathlib import Path

import pytest

from gaikan.check.baseline import Baseline
from gaikan.errors import ConfigError


def test_a_baseline_without_a_test_source_is_refused(tmp_path: Path) -> None:
    held = json.loads((Path(__file__).parents[2] / "results/baseline.json").read_text())
    del held["data"]["test"]
    (tmp_path / "b.json").write_text(json.dumps(held))
    with pytest.raises(ConfigError, match=r"b\.json: .*data is that of train and of test"):
        Baseline.read(tmp_path / "b.json")
