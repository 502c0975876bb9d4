"""JSON files that gaikan wrote and people may hand on: read without trust."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gaikan.errors import ConfigError


def parse(content: bytes) -> Any:
    """The content of a JSON file. Raises ValueError in one line, whatever is wrong with it."""
    try:
        values = json.loads(content)
        if b"\\u" in content:  # half a character could never be written again
            json.dumps(values, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return values


def check(values: Any, wanted: TypeAdapter[Any], path: Path, remedy: str) -> None:
    """Raises ConfigError naming file and key where `values` are not what is `wanted`.

    Keys that are not asked for may be there: a later version may write more.
    """
    try:
        wanted.validate_python(values, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(map(str, first["loc"])) or "(all of it)"
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{path}: key {key!r}: {reason[:1].lower()}{reason[1:]}; {remedy}"
        ) from None
