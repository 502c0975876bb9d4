"""JSON files that gaikan wrote and people may hand on: read without trust."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_serializer
from pydantic import SerializerFunctionWrapHandler as Whole

from gaikan.errors import ConfigError, lower_first

M = TypeVar("M", bound=BaseModel)


class JsonModel(BaseModel):
    """An object of such a file. Keys that it lacks are passed over: a later version may write more.

    An optional key is not written where it is None.
    """

    model_config = ConfigDict(frozen=True, strict=True, ser_json_inf_nan="constants")

    @model_serializer(mode="wrap")
    def _written(self, whole: Whole) -> dict[str, object]:
        needed = type(self).model_fields
        values: dict[str, object] = whole(self)
        return {k: v for k, v in values.items() if v is not None or needed[k].is_required()}


def read(model: type[M], content: bytes, path: Path, remedy: str) -> M:
    """The content of the file at `path`. Raises ConfigError: file, the first wrong key, remedy."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        reason = first["msg"].removeprefix("Invalid JSON: ")
        raise ConfigError(f"{path}: not JSON ({reason}); {remedy}")
    key = ".".join(map(str, first["loc"])) or "(all of it)"
    reason = lower_first(first["msg"].removeprefix("Value error, "))
    raise ConfigError(f"{path}: key {key!r}: {reason}; {remedy}")
