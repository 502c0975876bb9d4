"""`picks.json` is read whole or refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runner import gaikan
from small_run import write_run

from gaikan.errors import ConfigError
from gaikan.run_folder.picks_file import read_picks


@pytest.fixture(scope="module")
def picked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The content of a `picks.json`."""
    out = write_run(tmp_path_factory.mktemp("run"), config={"stage": {"line": {}}})
    assert gaikan("pick", out) == 0
    found: dict[str, Any] = json.loads((out / "picks.json").read_text())
    read = read_picks(out / "picks.json")
    assert read is not None
    assert json.loads(read.to_json()) == found
    return found


PICKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no list of stages": (lambda p: p.update(stages=1), "key 'stages'"),
    "no reason": (lambda p: p["stages"]["line"].pop("why"), "key 'stages.line.why'"),
    "a pick of text": (lambda p: p["stages"]["line"].update(pick="x"), "key 'stages.line.pick'"),
    "an unknown constraint": (
        lambda p: p["stages"]["line"]["constraints"][0].update(name="colour"),
        "no constraint 'colour'",
    ),
    "a value that is missing": (
        lambda p: p["stages"]["line"]["candidates"][0].update(values={}),
        "a candidate lacks the value of a constraint",
    ),
    "another format": (lambda p: p.update(format=2), "key 'format'"),
}


@pytest.mark.parametrize("kind", PICKS)
def test_odd_picks_are_refused(kind: str, picked: dict[str, Any], tmp_path: Path) -> None:
    change, words = PICKS[kind]
    odd = json.loads(json.dumps(picked))
    change(odd)
    (tmp_path / "picks.json").write_text(json.dumps(odd))
    with pytest.raises(ConfigError, match=r"picks\.json: .*`gaikan pick` writes it anew") as caught:
        read_picks(tmp_path / "picks.json")
    assert words in str(caught.value)
