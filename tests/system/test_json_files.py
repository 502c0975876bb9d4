"""JSON that is nested without an end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runner import gaikan

from gaikan.check.baseline import Baseline
from gaikan.errors import ConfigError
from gaikan.run_folder.latency_facts import read_facts
from gaikan.run_folder.picks_file import read_picks

pytestmark = pytest.mark.timeout(300)
DEEP = "[" * 100_000


@pytest.mark.parametrize("name", ["manifest.json", "picks.json", "baseline.json", "latency.json"])
def test_nesting_without_an_end_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(DEEP)
    (tmp_path / "latency.csv").touch()
    readers: dict[str, Callable[[], object]] = {
        "manifest.json": lambda: gaikan("pick", tmp_path),
        "picks.json": lambda: read_picks(path),
        "baseline.json": lambda: Baseline.read(path),
        "latency.json": lambda: read_facts(tmp_path),
    }
    if name == "latency.json":  # a damaged one is as good as none
        assert readers[name]() is None
    elif name == "manifest.json":
        assert readers[name]() == 2
    else:
        with pytest.raises(ConfigError, match=rf"{name}: not JSON \((nested|recursion) "):
            readers[name]()
