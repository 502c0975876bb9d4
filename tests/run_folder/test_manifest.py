"""`manifest.json` is read whole or refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from manifests import manifest
from runner import gaikan

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
        {"networks": [], "skipped": [{"what": "x"}]},
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
