"""The configuration of a run as TOML, to run it again."""

import json
from pathlib import Path

from pydantic import JsonValue

from gaikan.config.commented import toml_key
from gaikan.config.model import Config
from gaikan.config.toml_files import seen_from
from gaikan.selection.asked import DEFAULTS, WITHOUT_OK


def changes_toml(config: Config) -> str:
    """The TOML of all keys that differ from the default."""
    changed = config.model_dump(mode="json", exclude_defaults=True)
    stages = config.model_dump(mode="json", include={"stage"})  # also those of defaults alone
    return _table(changed | stages) or "# all as the defaults\n"


def again_toml(config: Config, path: Path, ok: str | None) -> str:
    """The TOML that makes a run of this configuration again, as a file at `path`.

    With the stages that are picked for where it names none, so that they can be changed; `ok` is
    the class that means good.
    """
    data = config.data
    named = {"train": data.train, "test": data.test, "corrections": data.corrections}
    seen = {key: seen_from(path, source) for key, source in named.items() if source is not None}
    networks = {
        name: network.model_copy(update={"onnx": seen_from(path, network.onnx)})
        for name, network in config.network.items()
    }
    changed = {
        "name": config.run_name,
        "data": data.model_copy(update=seen),
        "network": networks,
        "stage": config.stage or (WITHOUT_OK if ok is None else DEFAULTS),
    }
    return changes_toml(config.model_copy(update=changed))


def _table(values: dict[str, JsonValue], path: tuple[str, ...] = ()) -> str:
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [
        f"{toml_key(key)} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
        if key not in tables and value is not None
    ]
    if path and lines:
        lines.insert(0, f"[{'.'.join(map(toml_key, path))}]")
    text = "".join(f"{line}\n" for line in lines)
    return text + "".join(_table(value, (*path, key)) for key, value in tables.items())
