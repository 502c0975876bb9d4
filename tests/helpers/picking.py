"""`gaikan pick` with stages of a test's own."""

import json
from pathlib import Path
from typing import Any

from runner import gaikan

from gaikan.language.words import unpacked

Json = dict[str, Any]


def picked(run: Path, stages: str, tmp_path: Path) -> tuple[int, Json]:
    (tmp_path / "stages.toml").write_text(stages)
    code = gaikan("pick", run, "--stages", tmp_path / "stages.toml")
    return code, stages_in_english(run)


def stages_in_english(run: Path) -> Json:
    """The stages of `picks.json`, each sentence as an English reader sees it."""
    stages: Json = _english(json.loads((run / "picks.json").read_bytes())["stages"])
    return stages


def _english(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"key", "values"}:
            return unpacked(json.dumps(value)).en
        return {key: _english(each) for key, each in value.items()}
    return [_english(each) for each in value] if isinstance(value, list) else value
