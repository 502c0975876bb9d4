"""The configuration of a run as TOML, to run it again."""

import json

from pydantic import JsonValue

from gaikan.config.commented import toml_key
from gaikan.config.model import Config


def changes_toml(config: Config) -> str:
    """The TOML of all keys that differ from the default."""
    changed = config.model_dump(mode="json", exclude_defaults=True)
    stages = config.model_dump(mode="json", include={"stage"})  # also those of defaults alone
    return _table(changed | stages) or "# all as the defaults\n"


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
