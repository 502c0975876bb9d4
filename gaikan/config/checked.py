"""A model from values that people wrote; an error names where they stand and which key is wrong."""

import difflib
from collections.abc import Mapping
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

from gaikan.errors import ConfigError, lower_first, shown

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], values: Mapping[str, object], where: str, table: str = "") -> M:
    """`model` from `values`, which stand in `table` of `where`.

    Raises ConfigError naming `where` and the first key that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        location = [str(part) for part in first["loc"]]
        key = ".".join(([table] if table else []) + location)[:200]
        if first["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            close = difflib.get_close_matches(location[-1][:100], known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key '{key}'; {hint}") from None
        reason = first["msg"].removeprefix("Value error, ")
        reason = lower_first(reason).replace("valid tuple", "list")  # TOML's word
        given = first["input"]
        stated = isinstance(given, dict) or (isinstance(given, str) and shown(given) in reason)
        instead = "" if stated else f", not {shown(given)}"
        raise ConfigError(f"{where}: key '{key}': {reason}{instead}") from None


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    """The keys of the table at `location` within `model`."""
    for part in location:
        if part not in model.model_fields:
            continue  # the name of one of several tables of this model
        inner = _model_within(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_within(annotation: object) -> type[BaseModel] | None:
    """The model within a key's type: in `M`, `M | None` or `dict[str, M]` it is `M`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_within, get_args(annotation))), None)
