"""JSON files that gaikan wrote and people may hand on: read without trust."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
)

from gaikan.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class JsonModel(BaseModel):
    """An object of such a file. Keys that it lacks are passed over: a later version may write more.

    An optional key is not written where it is None.
    """

    model_config = ConfigDict(frozen=True, strict=True, ser_json_inf_nan="constants")

    @model_serializer(mode="wrap")
    def _written(self, whole: SerializerFunctionWrapHandler) -> dict[str, object]:
        needed = type(self).model_fields
        values: dict[str, object] = whole(self)
        return {k: v for k, v in values.items() if v is not None or needed[k].is_required()}


def read(model: type[M], content: bytes, path: Path, remedy: str) -> M:
    """The content of the file at `path`. Raises ConfigError naming file, key and remedy."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise _refusal(error, path, remedy) from None


Content = TypeVar("Content")


def parse(content: bytes) -> Any:
    """The content of a JSON file. Raises ValueError in one line, whatever is wrong with it."""
    try:
        values = json.loads(content)
        if b"\\u" in content:  # half a character could never be written again
            json.dumps(values, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return values


def check(values: Any, wanted: TypeAdapter[Content], path: Path, remedy: str) -> Content:
    """`values` as what is `wanted`. Raises ConfigError naming file and key where they are not.

    Keys that are not asked for may be there: a later version may write more.
    """
    try:
        return wanted.validate_python(values, strict=True)
    except ValidationError as error:
        raise _refusal(error, path, remedy) from None


def _refusal(error: ValidationError, path: Path, remedy: str) -> ConfigError:
    """What is wrong first, in one line."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        reason = first["msg"].removeprefix("Invalid JSON: ")
        return ConfigError(f"{path}: not JSON ({reason}); {remedy}")
    key = ".".join(map(str, first["loc"])) or "(all of it)"
    reason = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{path}: key {key!r}: {reason[:1].lower()}{reason[1:]}; {remedy}")
