"""`gaikan pick` with stages of a test's own."""

import json
from pathlib import Path
from typing import Any

from runner import gaikan

Json = dict[str, Any]


def picked(run: Path, stages: str, tmp_path: Path) -> tuple[int, Json]:
    (tmp_path / "stages.toml").write_text(stages)
    code = gaikan("pick", run, "--stages", tmp_path / "stages.toml")
    return code, json.loads((run / "picks.json").read_bytes())["stages"]
