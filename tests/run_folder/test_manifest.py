"""`manifest.json` is read whole or refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from manifests import manifest
from runner import gaikan

from gaikan.errors import ConfigError
from gaikan.run_folder.manifest import read_manifest

NETWORK = {
    "network": "mlp-triplet",
    "seed": 0,
    "store": {"trained": "a", "embedded": "b"},
    "recipe": {"arch": "mlp", "style": "triplet"},
}


MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "a network of text": ({"networks": ["mlp"]}, "key 'networks.0'"),
    "no list": ({"networks": 1}, "key 'networks'"),
    "a network without a store": (
        {"networks": [{k: v for k, v in NETWORK.items() if k != "store"}]},
        "key 'networks.0.store'",
    ),
    "no anchors": ({"anchors": None}, "key 'anchors'"),
    "what is skipped without a reason": (
        {"networks": [], "skipped": [{"what": {"key": "what_timing", "values": {}}}]},
        "key 'skipped.0.why'",
    ),
    "packages of a number": ({"networks": [], "machine": {"packages": 1}}, "key 'machine."),
    "seconds of nothing": ({"networks": [], "seconds": {}}, "key 'seconds."),
    "half a character": ({"networks": [], "name": "\ud800"}, "not JSON"),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_an_odd_manifest_is_refused_in_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, words = MANIFESTS[kind]
    whole = json.loads(manifest().model_dump_json())
    (tmp_path / "manifest.json").write_text(json.dumps(whole | odd))
    for command in (("pick", tmp_path), ("time", tmp_path), ("report", tmp_path)):
        assert gaikan(*command) == 2
        said = capsys.readouterr().err
        assert "manifest.json: " in said
        assert said.count("\n") == 1
    assert words in said or "is missing" in said


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "manifest.json: is not a file; move it away"),
        ("pipe", "manifest.json: is not a file; move it away"),
        ("list", "manifest.json: key '(all of it)': input should be an object; run `gaikan bench`"),
        ("nothing", "no run folder (no manifest.json in it)"),
    ],
)
@pytest.mark.timeout(20)
def test_an_odd_kind_is_named(kind: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "list":
        path.write_text("[]")
    with pytest.raises(ConfigError, match=str(tmp_path)) as refused:
        read_manifest(tmp_path)
    assert words in str(refused.value)


def test_a_file_in_place_of_the_folder_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigError, match="run: no run folder"):
        read_manifest(tmp_path / "run")
