"""`latency.json` is read whole, or is none."""

from pathlib import Path

import pytest

from gaikan.run_folder.latency_facts import read_facts


@pytest.mark.parametrize("facts", ["null", "1", "[]", "{}", '{"networks": 1}'])
def test_facts_that_are_none_are_none(facts: str, tmp_path: Path) -> None:
    (tmp_path / "latency.json").write_text(facts)
    (tmp_path / "latency.csv").touch()
    assert read_facts(tmp_path) is None
