"""`manifest.json`: what makes a folder a run folder."""

import json
from pathlib import Path
from typing import Any

from gaikan.errors import ConfigError


def read_manifest(out: Path, *needed: str) -> dict[str, Any]:
    """The manifest of the run in `out`.

    Raises ConfigError where there is none, where it is damaged, or lacks a `needed` key.
    """
    path = out / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
    except OSError:
        raise ConfigError(
            f"{out}: no run folder (no manifest.json in it); `gaikan bench` makes one"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error}); run `gaikan bench` again") from None
    if not isinstance(manifest, dict) or "networks" not in manifest:
        raise ConfigError(f"{path}: not the manifest of a run; `gaikan bench` makes one")
    for key in needed:
        if key not in manifest:
            raise ConfigError(f"{path}: key {key!r} is missing; run `gaikan bench` again")
    return manifest
